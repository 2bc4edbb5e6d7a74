import type { Plan } from "../documents/plan.ts";
import type { GgufValue } from "../gguf/types.ts";
import { VERSION } from "../version.ts";

/** Metadata that tells from the pruned file alone what it was made of and how. */
export function provenance(plan: Plan, source: { fingerprint?: string }): ReadonlyMap<string, GgufValue> {
  const { method, removedLayers, rls, model } = plan;
  const entries: [string, GgufValue][] = [
    ["lorp.version", { type: "string", value: VERSION }],
    ["lorp.method", { type: "string", value: method }],
    ["lorp.removed_layers", { type: "array", elementType: "uint32", value: removedLayers }],
    ["lorp.original_block_count", { type: "uint32", value: model.blockCount }],
  ];
  if (typeof rls === "number") entries.push(["lorp.rls", { type: "float64", value: rls }]);
  const { fingerprint } = source;
  if (fingerprint !== undefined) {
    entries.push(["lorp.source_fingerprint", { type: "string", value: fingerprint }]);
  }
  return new Map(entries);
}
