import type { GgufFile, GgufValue } from "../gguf/types.ts";
import { encodeValue } from "../gguf/values.ts";
import type { RawEntry } from "../gguf/write.ts";
import { OWN_PREFIX } from "../provenance/keys.ts";

/** An entry that holds a value. */
export function toEntry(key: string, value: GgufValue): RawEntry {
  return { key, type: value.type, raw: encodeValue(value) };
}

/** Metadata to set in a file; an entry whose value is undefined goes. */
export type MetadataChanges = ReadonlyMap<string, GgufValue | undefined>;

/** The entries with changes made: an existing key keeps its place, a new one comes last. Others stay byte for byte. */
export function setEntries(entries: readonly RawEntry[], changes: MetadataChanges): RawEntry[] {
  const entry = (key: string, value: GgufValue | undefined) =>
    value === undefined ? [] : [toEntry(key, value)];
  const replaced = entries.flatMap((old) =>
    changes.has(old.key) ? entry(old.key, changes.get(old.key)) : [old],
  );
  const present = new Set(entries.map(({ key }) => key));
  const added = [...changes]
    .filter(([key]) => !present.has(key))
    .flatMap(([key, value]) => entry(key, value));
  return [...replaced, ...added];
}

/** The keys of llama.cpp's gguf-split, which say which part of a model a file is. */
const SPLIT_KEYS = ["split.no", "split.count", "split.tensors.count"];

/** The model's own entries as they stand, without what an earlier pruning noted and what makes a file a part. */
export function ownEntries(model: GgufFile): RawEntry[] {
  const foreign = (key: string) =>
    key.startsWith(OWN_PREFIX) || (model.paths.length > 1 && SPLIT_KEYS.includes(key));
  return [...model.metadata.values()].filter(({ key }) => !foreign(key));
}

/** What marks a file as part `no` of `count`, with the types that llama.cpp asks for. */
export function splitEntries(no: number, count: number, tensorCount: number): ReadonlyMap<string, GgufValue> {
  return new Map<string, GgufValue>([
    ["split.no", { type: "uint16", value: no }],
    ["split.count", { type: "uint16", value: count }],
    ["split.tensors.count", { type: "int32", value: tensorCount }],
  ]);
}
