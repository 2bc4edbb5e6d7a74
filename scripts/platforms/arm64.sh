#!/usr/bin/env bash
# Compiles the addon for Linux arm64; it is not run.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/platforms/skip.sh
command -v aarch64-linux-gnu-g++ >/dev/null || install_or_skip g++-aarch64-linux-gnu
build=build/linux-arm64
cmake -S . -B "$build" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$build" -j"$(nproc)"
file "$build/lorp.node"
