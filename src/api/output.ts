import type { Plan } from "../documents/plan.ts";

/**
 * `dir/name.gguf` with 5 of 20 blocks removed → `dir/name-pruned-5of20.gguf`; a split input's part number goes.
 * @param quantize the type that the result is quantised to, if it is: `…-pruned-5of20-q4_k_m.gguf`
 */
export function defaultOutput(input: string, plan: Plan, quantize?: string): string {
  const stem = input.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, "");
  return `${stem}-pruned-${plan.removedLayers.length}of${plan.model.blockCount}${quantize === undefined ? "" : `-${quantize.toLowerCase()}`}.gguf`;
}
