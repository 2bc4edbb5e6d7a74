import { throwIfAborted } from "../errors.ts";
import { GgufError } from "../gguf/errors.ts";
import { openOnDisk, type ReadableFile } from "../gguf/files.ts";
import type { GgufFile, MetadataEntry, TensorInfo } from "../gguf/types.ts";
import { originalName, readNumbering } from "../provenance/numbering.ts";

/** A tensor that both files have, with the differences between the two. */
export interface ChangedTensor {
  /** As both call it once blocks are counted alike. */
  readonly name: string;
  readonly types?: readonly [string, string];
  readonly shapes?: readonly [readonly number[], readonly number[]];
  /** Type and shape are the same, the data is not. */
  readonly data?: true;
}

export interface ModelDiff {
  /**
   * Whether tensor names were compared by the blocks' numbers before one or both files were pruned; false when the
   * files do not say, or were not made from models with equally many blocks.
   */
  readonly renumbered: boolean;
  /** Blocks of both before any were removed, if equally many: of some models, blk.<i> and blk.<i + blocks> are one's. */
  readonly blocks: number | undefined;
  /** Blocks that lorp noted as removed from the first and from the second file. */
  readonly removed: readonly [readonly number[], readonly number[]];
  readonly tensors: {
    readonly onlyInFirst: readonly string[];
    readonly onlyInSecond: readonly string[];
    readonly changed: readonly ChangedTensor[];
    /** Number of tensors with the same type, shape and data. */
    readonly same: number;
  };
  readonly metadata: {
    readonly onlyInFirst: readonly string[];
    readonly onlyInSecond: readonly string[];
    readonly changed: readonly string[];
    readonly same: number;
  };
}

export interface DiffOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes compared, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Bytes read at once from each file. */
const CHUNK = 2 ** 20;

/**
 * Compares two models tensor by tensor and key by key, data byte by byte. Knows from the `lorp.*` metadata of a pruned
 * file which blocks its blocks were, so that a block that merely has another number is the same.
 * @throws GgufError, AbortedError
 */
export async function diffModels(
  first: GgufFile,
  second: GgufFile,
  options: DiffOptions = {},
): Promise<ModelDiff> {
  const numberings = [readNumbering(first), readNumbering(second)] as const;
  const pruned = numberings.some(({ removed }) => removed.length > 0);
  const alike = numberings[0].blocks === numberings[1].blocks;
  const renumbered = pruned && alike;
  const named = (file: GgufFile, index: 0 | 1) => {
    const rename = renumbered ? originalName(numberings[index]) : (name: string) => name;
    return new Map(file.tensors.map((tensor) => [rename(tensor.name), tensor]));
  };
  const firstTensors = named(first, 0);
  const secondTensors = named(second, 1);
  const common = [...firstTensors].flatMap(([name, tensor]) => {
    const other = secondTensors.get(name);
    return other ? [{ name, pair: [tensor, other] as const }] : [];
  });
  const changed = await changedTensors(first, second, common, options);
  return {
    renumbered,
    blocks: alike ? numberings[0].blocks : undefined,
    removed: [numberings[0].removed, numberings[1].removed],
    tensors: {
      onlyInFirst: missing(firstTensors, secondTensors),
      onlyInSecond: missing(secondTensors, firstTensors),
      changed,
      same: common.length - changed.length,
    },
    metadata: diffMetadata(first.metadata, second.metadata),
  };
}

const missing = (from: ReadonlyMap<string, unknown>, among: ReadonlyMap<string, unknown>): string[] =>
  [...from.keys()].filter((key) => !among.has(key));

function diffMetadata(
  first: ReadonlyMap<string, MetadataEntry>,
  second: ReadonlyMap<string, MetadataEntry>,
): ModelDiff["metadata"] {
  const common = [...first.values()].filter(({ key }) => second.has(key));
  const changed = common.filter(({ key, type, raw }) => {
    const other = second.get(key);
    return other === undefined || other.type !== type || Buffer.compare(other.raw, raw) !== 0;
  });
  return {
    onlyInFirst: missing(first, second),
    onlyInSecond: missing(second, first),
    changed: changed.map(({ key }) => key),
    same: common.length - changed.length,
  };
}

interface CommonTensor {
  readonly name: string;
  readonly pair: readonly [TensorInfo, TensorInfo];
}

async function changedTensors(
  first: GgufFile,
  second: GgufFile,
  common: readonly CommonTensor[],
  { signal, onProgress }: DiffOptions,
): Promise<ChangedTensor[]> {
  const changed = new Map(common.flatMap((tensor) => differentForm(tensor)).map((form) => [form.name, form]));
  const comparable = common.filter(({ name }) => !changed.has(name));
  const total = comparable.reduce((sum, { pair }) => sum + pair[0].byteLength, 0);
  let done = 0;
  const files = { first: await openParts(first), second: await openParts(second) };
  try {
    for (const { name, pair } of comparable) {
      const same = await sameData(extent(files.first, pair[0]), extent(files.second, pair[1]), signal);
      if (!same) changed.set(name, { name, data: true });
      done += pair[0].byteLength;
      onProgress?.(done, total);
    }
  } finally {
    await Promise.all([...files.first, ...files.second].map(({ file }) => file.close()));
  }
  return common.flatMap(({ name }) => changed.get(name) ?? []);
}

/** The difference in type or shape, if there is one. */
function differentForm({ name, pair: [a, b] }: CommonTensor): ChangedTensor[] {
  const types = a.type !== b.type && { types: [a.typeName, b.typeName] as const };
  const shapes = a.shape.join() !== b.shape.join() && { shapes: [a.shape, b.shape] as const };
  return types || shapes ? [{ name, ...types, ...shapes }] : [];
}

interface Part {
  readonly path: string;
  readonly file: ReadableFile;
}

const openParts = (model: GgufFile): Promise<Part[]> =>
  Promise.all(model.paths.map(async (path) => ({ path, file: await openOnDisk(path) })));

/** Where a tensor's bytes are. */
interface Extent {
  readonly part: Part;
  readonly offset: number;
  readonly length: number;
}

function extent(parts: readonly Part[], { file, fileOffset, byteLength }: TensorInfo): Extent {
  return { part: parts[file]!, offset: fileOffset, length: byteLength };
}

async function sameData(a: Extent, b: Extent, signal: AbortSignal | undefined): Promise<boolean> {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += CHUNK) {
    throwIfAborted(signal);
    const [one, other] = await Promise.all([readChunk(a, at), readChunk(b, at)]);
    if (Buffer.compare(one, other) !== 0) return false;
  }
  return true;
}

async function readChunk({ part, offset, length }: Extent, at: number): Promise<Uint8Array> {
  const chunk = new Uint8Array(Math.min(CHUNK, length - at));
  const read = await part.file.read(chunk, offset + at);
  if (read === chunk.length) return chunk;
  throw new GgufError("GGUF_TRUNCATED", part.path, part.file.size, "it became shorter while it was read");
}
