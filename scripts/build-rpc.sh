#!/usr/bin/env bash
# Builds llama.cpp's RPC backend and its server against the very ggml that node-llama-cpp ships, out of the source of
# that release that it ships too. See docs/rpc.md.
#
#   scripts/build-rpc.sh [RUNTIME] [OUT]
#
# RUNTIME: folder of a prebuilt runtime (its libggml-base); the CPU's by default.
# OUT: where the results go; build/rpc, where lorp looks for the backend, by default.
set -euo pipefail
cd "$(dirname "$0")/.."

case "$(uname -s)" in
  Linux) suffix=so; origin='$ORIGIN' ;;
  Darwin) suffix=dylib; origin=@loader_path ;;
  *) echo "This script is for Linux and macOS." >&2; exit 1 ;;
esac
package=$(node -p "require.resolve.paths('x').map((p) => p + '/node-llama-cpp').find((p) => fs.existsSync(p))")
platform=$(node -p "({linux:'linux',darwin:'mac'})[process.platform]+'-'+process.arch")
default_runtime=$(find "$package/../@node-llama-cpp/$platform"* -name "libggml-base.$suffix" -print -quit 2>/dev/null || true)
runtime=${1:-$(dirname "${default_runtime:-.}")}
out=${2:-build/rpc}
if [ ! -e "$runtime/libggml-base.$suffix" ]; then
  echo "No libggml-base.$suffix in $runtime: name the folder of an installed runtime." >&2
  exit 1
fi

source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
git clone --quiet --bare "$package/llama/gitRelease.bundle" "$source/git"
git --git-dir "$source/git" archive HEAD ggml tools/rpc | tar -x -C "$source"

mkdir -p "$out"
# The server looks for the backends that compute beside itself.
for library in "$runtime"/lib*."$suffix"; do ln -sf "$(realpath "$library")" "$out/"; done
compile=("${CXX:-c++}" -std=c++17 -O2 -I "$source/ggml/include" -I "$source/ggml/src"
  -DGGML_SHARED -DGGML_BACKEND_SHARED -DGGML_BACKEND_DL "-Wl,-rpath,$origin")
"${compile[@]}" -fPIC -shared -DGGML_BACKEND_BUILD "$source"/ggml/src/ggml-rpc/{ggml-rpc,transport}.cpp \
  "$out/libggml-base.$suffix" -o "$out/libggml-rpc.$suffix"
"${compile[@]}" "$source/tools/rpc/rpc-server.cpp" \
  "$out"/libggml.*"$suffix" "$out/libggml-base.$suffix" -pthread -o "$out/rpc-server"
echo "Built $out/libggml-rpc.$suffix and $out/rpc-server"
