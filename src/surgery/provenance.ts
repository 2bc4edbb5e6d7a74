import type { Plan } from "../documents/plan.ts";
import type { GgufValue } from "../gguf/types.ts";

/**
 * Metadata that tells from the pruned file alone what it was made of and how.
 * @param fingerprint of the model that was cut
 * @param version of the program that cut it
 * @param earlier of a model that had been cut before: blocks of the first model, and which of them it has
 */
export function provenance(
  { method, removedLayers, keptLayers, rls, model, compensation }: Plan,
  fingerprint: string | undefined,
  version: string,
  earlier?: { readonly blocks: number; readonly kept: readonly number[] },
): ReadonlyMap<string, GgufValue> {
  const entries: [string, GgufValue][] = [
    ["lorp.version", { type: "string", value: version }],
    ["lorp.method", { type: "string", value: method }],
    ["lorp.removed_layers", { type: "array", elementType: "uint32", value: removedLayers }],
    ["lorp.original_block_count", { type: "uint32", value: model.blockCount }],
  ];
  if (earlier) {
    const first = keptLayers.map((layer) => earlier.kept[layer] ?? layer);
    entries.push(["lorp.first_block_count", { type: "uint32", value: earlier.blocks }]);
    entries.push(["lorp.first_layers", { type: "array", elementType: "uint32", value: first }]);
  }
  if (typeof rls === "number") entries.push(["lorp.rls", { type: "float64", value: rls }]);
  if (fingerprint !== undefined) {
    entries.push(["lorp.source_fingerprint", { type: "string", value: fingerprint }]);
  }
  if (compensation && compensation.factors.length > 0) {
    const ofKept = (part: "attention" | "feedForward"): GgufValue => ({
      type: "array",
      elementType: "float64",
      value: keptLayers.map((kept) => compensation.factors.find(({ layer }) => layer === kept)?.[part] ?? 1),
    });
    entries.push(
      ["lorp.compensation", { type: "string", value: compensation.mode }],
      ["lorp.attention_factors", ofKept("attention")],
      ["lorp.feed_forward_factors", ofKept("feedForward")],
    );
  }
  return new Map(entries);
}
