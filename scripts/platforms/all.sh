#!/usr/bin/env bash
# npm run test:platforms: every script here that tries a platform; a failure does not keep the others from being tried.
cd "$(dirname "$0")"
status=0
for platform in vulkan arm64 windows; do
  echo "== $platform"
  bash "$platform.sh" || { echo "FAILED: $platform"; status=1; }
done
exit "$status"
