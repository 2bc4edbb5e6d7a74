#!/usr/bin/env bash
# addon.sh PLATFORM FOLDER: compiles the addon for PLATFORM, as Node names it, into FOLDER/PLATFORM/lorp.node.
set -euo pipefail
platform=$1
output=$(realpath -m "$2")
cd "$(dirname "$0")/../.."
. scripts/platforms/skip.sh
build=build/platforms/$platform
configure=(-DCMAKE_BUILD_TYPE=Release)
mkdir -p "$build"

# zig_tool NAME ARGUMENT…: one of zig's tools as a program of its own, which is what CMake wants
zig_tool() {
  local path=$PWD/$build/$1
  shift
  printf '#!/bin/sh\nPYTHONPATH="%s" exec python3 -m ziglang %s "$@"\n' "$PWD/build/zig" "$*" >"$path"
  chmod +x "$path"
}

# for_macos ZIG_TARGET CMAKE_PROCESSOR
for_macos() {
  [ -d build/zig/ziglang ] || python3 -m pip install --quiet --target build/zig ziglang==0.15.2 >/dev/null ||
    skip "needs Python's package ziglang"
  zig_tool c++ c++ -target "$1"
  zig_tool ar ar
  zig_tool ranlib ranlib
  configure+=(-DCMAKE_SYSTEM_NAME=Darwin "-DCMAKE_SYSTEM_PROCESSOR=$2" "-DCMAKE_CXX_COMPILER=$PWD/$build/c++"
    "-DCMAKE_AR=$PWD/$build/ar" "-DCMAKE_RANLIB=$PWD/$build/ranlib"
    # Otherwise the library would tell the paths of this machine.
    "-DCMAKE_SHARED_LINKER_FLAGS=-s -Wl,-install_name,lorp.node")
}

case $platform in
"$(node -p 'process.platform + "-" + process.arch')") ;;
linux-arm64)
  command -v aarch64-linux-gnu-g++ >/dev/null || install_or_skip g++-aarch64-linux-gnu
  configure+=(-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64
    -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++)
  ;;
win32-x64)
  command -v x86_64-w64-mingw32-g++-posix >/dev/null || install_or_skip g++-mingw-w64-x86-64-posix
  # Node's import library, out of the list of its functions.
  definitions=$(node -p "require('node-api-headers').def_paths.node_api_def")
  x86_64-w64-mingw32-dlltool -d "$definitions" -l "$build/node.lib"
  configure+=(-DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=AMD64
    -DCMAKE_CXX_COMPILER=x86_64-w64-mingw32-g++-posix -DCMAKE_SHARED_LINKER_FLAGS=-static
    "-DCMAKE_JS_LIB=$PWD/$build/node.lib")
  ;;
darwin-x64) for_macos x86_64-macos.11.0 x86_64 ;;
darwin-arm64) for_macos aarch64-macos.11.0 arm64 ;;
*) skip "there is no way to compile for $platform here" ;;
esac

cmake -S . -B "$build" "${configure[@]}" >/dev/null
cmake --build "$build" -j"$(nproc)"
mkdir -p "$output/$platform"
cp "$build/lorp.node" "$output/$platform/lorp.node"
file "$output/$platform/lorp.node"
