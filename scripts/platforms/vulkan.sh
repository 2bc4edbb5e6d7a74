#!/usr/bin/env bash
# The whole prune of the example on Vulkan in software (Mesa's lavapipe), its similarities against the CPU's.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/platforms/skip.sh

if ! ldconfig -p | grep -q libvulkan.so.1 || ! ls /usr/share/vulkan/icd.d/lvp_icd.*.json >/dev/null 2>&1; then
  [ -n "${VK_ICD_FILENAMES:-}" ] || install_or_skip mesa-vulkan-drivers libvulkan1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# llama.cpp passes over a device that is a CPU unless it is named.
export GGML_VK_VISIBLE_DEVICES=0
for gpu in off vulkan; do
  node dist/cli/main.js prune examples/books-20l-q8_0.gguf --remove 5 --gpu "$gpu" --sequences 1 --sequence-length 32 \
    --evaluations 4 --no-speed --no-samples --no-cache --json --matrix --quiet -o "$folder/$gpu.gguf" >"$folder/$gpu.json"
done
node scripts/platforms/compare-similarity.js "$folder/off.json" "$folder/vulkan.json" 1e-3 vulkan
