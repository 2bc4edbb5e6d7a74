import type { GgufFile } from "../gguf/types.ts";

/** How a file's blocks are numbered in the model that a comparison is about. */
export interface Numbering {
  /** Blocks of the unpruned model. */
  readonly blocks: number | undefined;
  /** Blocks of the unpruned model that this file does not have. */
  readonly removed: readonly number[];
  /** Fingerprint of the model that was cut, if one was. */
  readonly source?: string;
}

/**
 * Reads what lorp notes in the files it writes; a file without such a note counts as unpruned. Of a file that was pruned
 * several times the numbering is that of the first model.
 */
export function readNumbering({ metadata }: GgufFile): Numbering {
  const value = (key: string) => metadata.get(key)?.decode().value;
  const first = value("lorp.first_block_count");
  const kept = value("lorp.first_layers");
  if (Array.isArray(kept) && typeof first === "number" && kept.every((layer) => layer < first)) {
    const of = new Set<unknown>(kept);
    return {
      blocks: first,
      removed: Array.from({ length: first }, (_, layer) => layer).filter((l) => !of.has(l)),
    };
  }
  const removed = value("lorp.removed_layers");
  const original = value("lorp.original_block_count");
  if (Array.isArray(removed) && typeof original === "number") {
    const source = value("lorp.source_fingerprint");
    return { blocks: original, removed, ...(typeof source === "string" && { source }) };
  }
  const own = value(`${value("general.architecture")}.block_count`);
  return { blocks: typeof own === "number" ? own : undefined, removed: [] };
}

const BLOCK = /^blk\.(\d+)\./;

/** The block a tensor belongs to, in the file's own numbering. */
export function blockOf(name: string): number | undefined {
  const digits = BLOCK.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The numbers that the file's blocks had before blocks were removed. */
export function keptBlocks({ blocks, removed }: Numbering): number[] {
  return Array.from({ length: blocks ?? 0 }, (_, index) => index).filter((index) => !removed.includes(index));
}

/** Renames tensors as they were called before blocks were removed. */
export function originalName(numbering: Numbering): (name: string) => string {
  const kept = keptBlocks(numbering);
  return (name) => name.replace(BLOCK, (prefix, own) => (own in kept ? `blk.${kept[own]}.` : prefix));
}
