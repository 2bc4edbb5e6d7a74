import { countLoops } from "../architecture/loops.ts";
import { readModel } from "../architecture/metadata.ts";
import { blockOf } from "../gguf/block-names.ts";
import type { GgufFile } from "../gguf/types.ts";

/** What weights may take of a GPU's free memory; the rest is for keys, values and what is being computed. */
const WEIGHTS_SHARE = 0.75;

/**
 * Layers to keep in a GPU's memory: as many as fit, in the order in which llama.cpp takes them, which counts the output
 * projection as a layer after the last one (`n_gpu_layers`).
 * @param free bytes of the GPU's memory that nothing uses
 * @returns 0 … the model's layers + 1
 * @throws ArchitectureError
 */
export function fittingGpuLayers(file: GgufFile, free: number): number {
  const { blockCount, loops } = readModel(file);
  // llama.cpp counts each run of a layer, and where the weights are follows from the first.
  const bytes: number[] = Array.from({ length: blockCount * countLoops(loops) + 1 }, () => 0);
  const output = bytes.length - 1;
  for (const { name, byteLength } of file.tensors) {
    const layer = blockOf(name) ?? output;
    bytes[layer] = (bytes[layer] ?? 0) + byteLength;
  }
  let left = WEIGHTS_SHARE * free;
  const tooLarge = bytes.toReversed().findIndex((size) => {
    left -= size;
    return left < 0;
  });
  return tooLarge === -1 ? bytes.length : tooLarge;
}
