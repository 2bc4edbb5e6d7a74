import { loopsOf, MOST_BLOCKS, placeOf } from "../architecture/loops.ts";
import { blockOf, blockTensor, partOf } from "../gguf/block-names.ts";
import type { GgufFile } from "../gguf/types.ts";
import { KEYS } from "./keys.ts";

/** How a file's blocks are numbered in the model that a comparison is about. */
export interface Numbering {
  /** Blocks of the unpruned model; 0 if the file does not say, or says what cannot be. */
  readonly blocks: number;
  /** Blocks of the unpruned model that this file does not have. */
  readonly removed: readonly number[];
  /** Blocks, in the file's own numbering, that make up for removed ones and are none of the unpruned model's. */
  readonly inserted: readonly number[];
  /** How the tensors of a block are named; src/architecture/loops.ts. */
  readonly stacks: readonly number[];
  /** Fingerprint of the model that was cut, if one was. */
  readonly source?: string;
}

/**
 * Reads what lorp notes in the files it writes; a file without such a note counts as unpruned. Of a file that was pruned
 * several times the numbering is that of the first model.
 */
export function readNumbering({ metadata }: GgufFile): Numbering {
  const value = (key: string) => metadata.get(key)?.decode().value;
  const count = (key: string) => {
    const number = value(key);
    return typeof number === "number" && number <= MOST_BLOCKS ? number : undefined;
  };
  const architecture = String(value("general.architecture"));
  const own = (key: string) => count(`${architecture}.${key}`);
  const { layers, stacks } = loopsOf(architecture, own("block_count") ?? 0, own);
  const first = count(KEYS.firstBlockCount);
  const kept = value(KEYS.firstLayers);
  const noted = value(KEYS.insertedBlocks);
  const inserted = Array.isArray(noted) ? noted : [];
  if (Array.isArray(kept) && first !== undefined && kept.every((layer) => layer < first)) {
    const of = new Set<unknown>(kept);
    return {
      blocks: first,
      removed: Array.from({ length: first }, (_, layer) => layer).filter((l) => !of.has(l)),
      inserted,
      stacks,
    };
  }
  const removed = value(KEYS.removedLayers);
  const original = count(KEYS.originalBlockCount);
  if (Array.isArray(removed) && original !== undefined) {
    const source = value(KEYS.sourceFingerprint);
    return { blocks: original, removed, inserted, stacks, ...(typeof source === "string" && { source }) };
  }
  return { blocks: layers, removed: [], inserted: [], stacks };
}

/** The numbers that the file's blocks had before blocks were removed; undefined of an inserted one. */
export function originsOf({ blocks, removed, inserted }: Numbering): (number | undefined)[] {
  const gone = new Set(removed);
  const origins: (number | undefined)[] = [];
  for (let origin = 0; origin < blocks; origin++) {
    if (gone.has(origin)) continue;
    while (inserted.includes(origins.length)) origins.push(undefined);
    origins.push(origin);
  }
  if (inserted.includes(origins.length)) origins.push(undefined);
  return origins;
}

/** Renames tensors as they were called before blocks were removed; an inserted block is called by the one before it. */
export function originalName(numbering: Numbering): (name: string) => string {
  const { blocks, stacks } = numbering;
  const origins = originsOf(numbering);
  return (name) => {
    const own = blockOf(name);
    if (own === undefined) return name;
    const { layer, stack } = placeOf({ layers: origins.length, stacks }, own);
    if (!(layer in origins)) return name;
    const origin = origins[layer];
    return origin === undefined
      ? `bridge.${origins[layer - 1]}.${partOf(name)}`
      : blockTensor(origin + stack * blocks, partOf(name));
  };
}
