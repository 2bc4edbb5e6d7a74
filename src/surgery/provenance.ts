import type { Plan } from "../documents/plan.ts";
import type { GgufValue } from "../gguf/types.ts";

/**
 * Metadata that tells from the pruned file alone what it was made of and how.
 * @param fingerprint of the model that was cut
 * @param version of the program that cut it
 */
export function provenance(
  { method, removedLayers, rls, model }: Plan,
  fingerprint: string | undefined,
  version: string,
): ReadonlyMap<string, GgufValue> {
  const entries: [string, GgufValue][] = [
    ["lorp.version", { type: "string", value: version }],
    ["lorp.method", { type: "string", value: method }],
    ["lorp.removed_layers", { type: "array", elementType: "uint32", value: removedLayers }],
    ["lorp.original_block_count", { type: "uint32", value: model.blockCount }],
  ];
  if (typeof rls === "number") entries.push(["lorp.rls", { type: "float64", value: rls }]);
  if (fingerprint !== undefined) {
    entries.push(["lorp.source_fingerprint", { type: "string", value: fingerprint }]);
  }
  return new Map(entries);
}
