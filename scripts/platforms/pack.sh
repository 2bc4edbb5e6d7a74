#!/usr/bin/env bash
# npm run pack:platforms: the tarballs of a release, in build/tarballs: lorp, and the addon of each platform compiled here.
set -euo pipefail
cd "$(dirname "$0")/../.."
addons=build/addons
rm -rf "$addons" build/tarballs
npm run --silent build:ts
for platform in linux-x64 linux-arm64 win32-x64 darwin-x64 darwin-arm64; do
  echo "== $platform"
  bash scripts/platforms/addon.sh "$platform" "$addons"
done
node scripts/pack-platforms.js "$addons" build/tarballs
