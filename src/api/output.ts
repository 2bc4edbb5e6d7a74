import type { Destination } from "../surgery/destinations.ts";
import type { WriteOptions } from "./apply.ts";

/** What the name says of a Plan. */
interface Removal {
  readonly removedLayers: { readonly length: number };
  readonly model: { readonly blockCount: number };
}

/**
 * `dir/name.gguf` with 5 of 20 blocks removed → `dir/name-pruned-5of20.gguf`; a split input's part number goes.
 * @param quantize the type that the result is quantised to, if it is: `…-pruned-5of20-q4_k_m.gguf`
 */
export function defaultOutput(input: string, plan: Removal, quantize?: string): string {
  const stem = input.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, "");
  return `${stem}-pruned-${plan.removedLayers.length}of${plan.model.blockCount}${quantize === undefined ? "" : `-${quantize.toLowerCase()}`}.gguf`;
}

/** The output of a command; of one in parts only the name that theirs are made from, so that no file is in its way. */
export function modelDestination(
  path: string,
  { force = false, keepSplit = false, splitMaxSize }: WriteOptions,
): Destination {
  return { path, holds: "model", replace: force || keepSplit || splitMaxSize !== undefined };
}
