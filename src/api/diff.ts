import { diffModels, type ModelDiff } from "../diff/diff.ts";
import { readGguf } from "../gguf/read.ts";
import type { Progress } from "../progress.ts";
import { checkNames } from "./check-options.ts";

export interface DiffOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Says what differs between two models in tensors and metadata; knows the layers of a pruned file by the numbers they had.
 * @param first a GGUF file, or any part of a split one
 * @throws GgufError, AbortedError
 * @example
 * ```ts
 * import { diff } from "lorp";
 *
 * const { removed, tensors } = await diff("model.gguf", "small.gguf");
 * console.log(removed[1], tensors.changed.map(({ name }) => name));
 * ```
 */
export async function diff(first: string, second: string, options: DiffOptions = {}): Promise<ModelDiff> {
  checkNames(options, { signal: true, onProgress: true });
  const { signal, onProgress } = options;
  return diffModels(await readGguf(first, { signal }), await readGguf(second, { signal }), {
    signal,
    onProgress: (done, total) => onProgress?.({ stage: "diff", done, total, unit: "bytes" }),
  });
}
