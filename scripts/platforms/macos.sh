#!/usr/bin/env bash
# Compiles the addon for macOS on Intel and on Apple's processors; it is not run: nothing here can.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for cpu in x64 arm64; do bash scripts/platforms/addon.sh "darwin-$cpu" "$folder"; done
echo "compiled, not run"
