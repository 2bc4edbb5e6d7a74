#!/usr/bin/env bash
# npm run test:platforms: every script here that tries a platform; a failure does not keep the others from being tried.
cd "$(dirname "$0")"
. ./skip.sh
status=0
for platform in vulkan arm64 windows macos; do
  echo "== $platform"
  bash "$platform.sh"
  case $? in
  0 | "$SKIPPED") ;;
  *)
    echo "FAILED: $platform"
    status=1
    ;;
  esac
done
exit "$status"
