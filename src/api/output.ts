import type { Plan } from "../documents/plan.ts";

/** `dir/name.gguf` with 5 of 20 blocks removed → `dir/name-pruned-5of20.gguf`; a split input's part number goes. */
export function defaultOutput(input: string, plan: Plan): string {
  const stem = input.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, "");
  return `${stem}-pruned-${plan.removedLayers.length}of${plan.model.blockCount}.gguf`;
}
