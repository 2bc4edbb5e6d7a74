import type { GgufFile, GgufValue } from "../gguf/types.ts";
import { encodeValue } from "../gguf/values.ts";
import type { RawEntry } from "../gguf/write.ts";

/** An entry that holds a value. */
export function toEntry(key: string, value: GgufValue): RawEntry {
  return { key, type: value.type, raw: encodeValue(value) };
}

/** The entries with some values set: an existing key keeps its place, a new one comes last. Others stay byte for byte. */
export function setEntries(entries: readonly RawEntry[], set: ReadonlyMap<string, GgufValue>): RawEntry[] {
  const replaced = entries.map((entry) => {
    const value = set.get(entry.key);
    return value === undefined ? entry : toEntry(entry.key, value);
  });
  const present = new Set(entries.map(({ key }) => key));
  const added = [...set].filter(([key]) => !present.has(key)).map(([key, value]) => toEntry(key, value));
  return [...replaced, ...added];
}

/** The keys of llama.cpp's gguf-split, which say which part of a model a file is. */
const SPLIT_KEYS = ["split.no", "split.count", "split.tensors.count"];

/** The model's own entries as they stand, without what an earlier pruning noted and what makes a file a part. */
export function ownEntries(model: GgufFile): RawEntry[] {
  const foreign = (key: string) =>
    key.startsWith("lorp.") || (model.paths.length > 1 && SPLIT_KEYS.includes(key));
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
