import type { Plan } from "../documents/plan.ts";
import type { GgufValue } from "../gguf/types.ts";
import { KEYS } from "./keys.ts";

/** What was cut. */
export interface Source {
  /** Of the model that was cut. */
  readonly fingerprint?: string | undefined;
  /** Blocks of the output that the model does not have, ascending. */
  readonly inserted?: readonly number[];
  /** Of a model that had been cut before: blocks of the first model, and which of them each of its own was, if any. */
  readonly earlier?: Earlier | undefined;
}

interface Earlier {
  readonly blocks: number;
  readonly origins: readonly (number | undefined)[];
}

/**
 * Metadata that tells from the pruned file alone what it was made of and how.
 * @param version of the program that cut it
 */
export function provenance(
  { method, removedLayers, keptLayers, rls, model, repair }: Plan,
  { fingerprint, inserted = [], earlier }: Source,
  version: string,
): ReadonlyMap<string, GgufValue> {
  const entries: [string, GgufValue][] = [
    [KEYS.version, { type: "string", value: version }],
    [KEYS.method, { type: "string", value: method }],
    [KEYS.removedLayers, uint32s(removedLayers)],
    [KEYS.originalBlockCount, { type: "uint32", value: model.blockCount }],
  ];
  if (earlier) {
    const first = keptLayers.flatMap((layer) => earlier.origins[layer] ?? []);
    entries.push([KEYS.firstBlockCount, { type: "uint32", value: earlier.blocks }]);
    entries.push([KEYS.firstLayers, uint32s(first)]);
  }
  const allInserted = insertedBlocks(keptLayers, inserted, earlier);
  if (allInserted.length > 0) entries.push([KEYS.insertedBlocks, uint32s(allInserted)]);
  if (repair?.kind) {
    const gaps = repair.tried.find(({ kind }) => kind === repair.kind)?.gaps ?? [];
    entries.push([KEYS.repair, { type: "string", value: repair.kind }]);
    entries.push([KEYS.repairedLayers, uint32s(gaps.map(({ after }) => after))]);
  }
  if (typeof rls === "number") entries.push([KEYS.rls, { type: "float64", value: rls }]);
  if (fingerprint !== undefined) {
    entries.push([KEYS.sourceFingerprint, { type: "string", value: fingerprint }]);
  }
  return new Map(entries);
}

const uint32s = (value: readonly number[]): GgufValue => ({ type: "array", elementType: "uint32", value });

/** Blocks of the output that were inserted now or earlier. */
function insertedBlocks(
  keptLayers: readonly number[],
  inserted: readonly number[],
  earlier: Earlier | undefined,
): number[] {
  const positions = Array.from({ length: keptLayers.length + inserted.length }, (_, block) => block);
  const ofKept = positions.filter((block) => !inserted.includes(block));
  const before = ofKept.filter((_, i) => earlier && earlier.origins[keptLayers[i]!] === undefined);
  return [...inserted, ...before].toSorted((a, b) => a - b);
}
