#!/usr/bin/env bash
# try-packages.sh TARBALLS [PLATFORM NODE…]: tries a release's tarballs as a user would.
#
# They are installed into an empty folder, with no compiler, CMake or git on the PATH and the CPU's llama.cpp alone. What
# is there then must plan and write what this checkout does. Another platform than this machine's is tried with NODE…, a
# command that runs its Node here. llama.cpp computes there too, where npm has its package.
set -euo pipefail
tarballs=$(realpath "$1")
cd "$(dirname "$0")/../.."
root=$PWD
here=$(node -p 'process.platform + "-" + process.arch')
platform=${2:-$here}
node=("${@:3}")
model=$root/examples/books-20l-q8_0.gguf
runtime=@node-llama-cpp/$(sed 's/^darwin-arm64$/mac-arm64-metal/; s/^darwin/mac/; s/^win32/win/' <<<"$platform")

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/prefix"
path=$PATH
install=(npm install --omit=optional --prefer-offline --no-audit --no-fund)
if [ "$platform" != "$here" ]; then
  install+=("--os=${platform%-*}" "--cpu=${platform#*-}" --libc=glibc --ignore-scripts --force)
elif [ "${here%-*}" != win32 ]; then
  for program in node npm sh; do ln -s "$(command -v "$program")" "$folder/bin/$program"; done
  path=$folder/bin
fi
[ ${#node[@]} -gt 0 ] || node=("$(command -v node)")

cd "$folder/prefix"
# manifest RUNTIME…: lorp, its addon and llama.cpp for this platform; the addons of others, which npm's registry is not asked for
manifest() {
  node -e '
    const [tarballs, root, platform, ...runtimes] = process.argv.slice(1);
    const { version, dependencies: pinned } = require(`${root}/package.json`);
    const ours = fs.readdirSync(tarballs).map((file) => [file.slice(0, -`-${version}.tgz`.length), `file:${tarballs}/${file}`]);
    const theirs = runtimes.map((name) => [name, pinned["node-llama-cpp"]]);
    const fits = ([name]) => name === "lorp" || name === `lorp-${platform}`;
    const dependencies = Object.fromEntries([...ours.filter(fits), ...theirs]);
    const optionalDependencies = Object.fromEntries(ours.filter((one) => !fits(one)));
    fs.writeFileSync("package.json", JSON.stringify({ dependencies, optionalDependencies }));
  ' "$tarballs" "$root" "$platform" "$@"
}
computes=true
manifest "$runtime"
if ! PATH=$path "${install[@]}"; then
  [ "$platform" != "$here" ] || exit 1
  computes=false
  manifest
  PATH=$path "${install[@]}"
fi

runtimes=$(ls node_modules/@node-llama-cpp 2>/dev/null | xargs || true)
echo "installed: $(du -sm node_modules | cut -f1) MB, llama.cpp for ${runtimes:-nothing}"

cd "$folder"
# as_here, as_installed ARGUMENT…: lorp of this checkout, and the one that was installed
as_here() { node "$root/dist/cli/main.js" "$@"; }
as_installed() { PATH=$path HOME=$folder "${node[@]}" prefix/node_modules/lorp/dist/cli/main.js "$@"; }
# the_same WHAT FILE FILE
the_same() {
  cmp "$2" "$3" || exit 1
  echo "$1: the same ($(sha256sum "$2" | cut -c1-16))"
}
little=(--gpu off --threads 1 --sequences 1 --sequence-length 32 --no-cache)

as_here analyze "$model" "${little[@]}" --quiet -o analysis.json
for lorp in here installed; do
  "as_$lorp" inspect "$model" --json >"$lorp-inspection.json"
  "as_$lorp" plan analysis.json --remove 5 --quiet -o "$lorp-plan.json"
  "as_$lorp" apply "$model" "$lorp-plan.json" --quiet -o "$lorp.gguf"
done
the_same inspection {here,installed}-inspection.json
the_same plan {here,installed}-plan.json
the_same model {here,installed}.gguf

if ! $computes; then
  echo "not computed: npm does not have this release of $runtime"
  exit 0
fi
as_installed doctor >doctor.txt
cat doctor.txt
for lorp in here installed; do
  "as_$lorp" prune "$model" --remove 5 --method lorp "${little[@]}" --no-speed --no-samples \
    --json --matrix --quiet -o "$lorp-pruned.gguf" >"$lorp.json"
done
node "$root/scripts/platforms/compare-similarity.js" {here,installed}.json 1e-3 cpu
