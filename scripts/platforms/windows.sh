#!/usr/bin/env bash
# Compiles the addon for Windows x64 with mingw-w64; it is not run.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/platforms/skip.sh
command -v x86_64-w64-mingw32-g++-posix >/dev/null || install_or_skip g++-mingw-w64-x86-64-posix
build=build/windows-x64
mkdir -p "$build"
# Node's import library, out of the list of its functions.
headers=$(node -p "require('node-api-headers').def_paths.node_api_def")
x86_64-w64-mingw32-dlltool -d "$headers" -l "$build/node.lib"
cmake -S . -B "$build" -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_CXX_COMPILER=x86_64-w64-mingw32-g++-posix \
  -DCMAKE_SHARED_LINKER_FLAGS=-static -DCMAKE_JS_LIB="$PWD/$build/node.lib" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$build" -j"$(nproc)"
file "$build/lorp.node"
