import { Cursor } from "./cursor.ts";
import { GGML_TYPES, ggmlTypeName } from "./ggml-types.ts";
import type { GgufValue, MetadataEntry } from "./types.ts";
import { readArrayHead, readType, readValue, skipValue } from "./values.ts";

const MAGIC = 0x46554747; // "GGUF"
const DEFAULT_ALIGNMENT = 32;
/** Far above any real alignment; keeps padding small beside the data. */
const MAX_ALIGNMENT = 2 ** 24;
/** ggml's GGML_MAX_DIMS. */
const MAX_DIMENSIONS = 4;
/** Key length, type and at least one byte of value; name length, dimension count, type and offset. */
const MINIMUM_METADATA_SIZE = 8 + 4 + 1;
const MINIMUM_TENSOR_SIZE = 8 + 4 + 4 + 8;

/** A tensor as one file's header describes it. */
export interface HeaderTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly byteLength: number;
  /** Absolute. */
  readonly fileOffset: number;
}

/** What stands before one file's tensor data. */
export interface Header {
  readonly version: 2 | 3;
  readonly alignment: number;
  readonly metadata: ReadonlyMap<string, MetadataEntry>;
  readonly tensors: readonly HeaderTensor[];
}

/** `position` rounded up to a multiple of `alignment` (a power of two or not). */
export function alignUp(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}

/**
 * Parses and checks everything before the tensor data (source: llama.cpp `gguf_init_from_reader`).
 * @param bytes the file's first bytes; the metadata's `raw` are views of them
 * @throws MoreBytesNeeded when the header goes on beyond `bytes` but not beyond the file
 * @throws GgufError for anything that is not a well-formed GGUF of version 2 or 3
 */
export function parseHeader(path: string, bytes: Uint8Array, fileSize: number): Header {
  const cursor = new Cursor(path, bytes, fileSize);
  const version = readVersion(cursor);
  const tensorCountAt = cursor.position;
  const tensorCount = cursor.count(MINIMUM_TENSOR_SIZE, "the number of tensors");
  const metadataCount = cursor.count(MINIMUM_METADATA_SIZE, "the number of metadata entries");
  if (tensorCount * MINIMUM_TENSOR_SIZE + metadataCount * MINIMUM_METADATA_SIZE > cursor.remaining) {
    throw cursor.error("GGUF_COUNT", "tensors and metadata together cannot fit in the file", tensorCountAt);
  }
  const metadata = readMetadata(cursor, metadataCount);
  const alignment = readAlignment(cursor, metadata);
  const declared = readTensors(cursor, tensorCount);
  const dataOffset = alignUp(cursor.position, alignment);
  return {
    version,
    alignment,
    metadata,
    tensors: placeTensors(cursor, declared, dataOffset, alignment, fileSize),
  };
}

function readVersion(cursor: Cursor): 2 | 3 {
  if (cursor.remaining < 4 || cursor.u32("the magic number") !== MAGIC) {
    throw cursor.error("GGUF_NOT_GGUF", 'it does not begin with "GGUF"', 0);
  }
  const at = cursor.position;
  const version = cursor.u32("the version");
  if (version === 2 || version === 3) return version;
  // The same test as llama.cpp's: a small version number stored the other way round.
  if (version !== 0 && (version & 0xffff) === 0) {
    throw cursor.error("GGUF_BIG_ENDIAN", "it is a big-endian file", at);
  }
  throw cursor.error("GGUF_VERSION", `it is GGUF version ${version}, where 2 and 3 are known`, at);
}

interface PlacedEntry extends MetadataEntry {
  readonly offset: number;
}

function readMetadata(cursor: Cursor, count: number): ReadonlyMap<string, PlacedEntry> {
  const metadata = new Map<string, PlacedEntry>();
  for (let i = 0; i < count; i++) {
    const at = cursor.position;
    const key = cursor.string(`the key of metadata entry ${i}`);
    if (key === "") throw cursor.error("GGUF_KEY", `the key of metadata entry ${i} is empty`, at);
    if (metadata.has(key)) throw cursor.error("GGUF_DUPLICATE", `the metadata key ${key} occurs twice`, at);
    metadata.set(key, readEntry(cursor, key));
  }
  return metadata;
}

function readEntry(cursor: Cursor, key: string): PlacedEntry {
  const type = readType(cursor, key);
  const offset = cursor.position;
  skipValue(cursor, type, key);
  const raw = cursor.bytes.subarray(offset, cursor.position);
  const reread = () => new Cursor(cursor.path, raw, offset + raw.length, offset);
  let decoded: GgufValue | undefined;
  return {
    key,
    type,
    ...(type === "array" && readArrayHead(reread(), key)),
    raw,
    offset,
    decode() {
      decoded ??= readValue(reread(), type, key);
      return decoded;
    },
  };
}

function readAlignment(cursor: Cursor, metadata: ReadonlyMap<string, PlacedEntry>): number {
  const entry = metadata.get("general.alignment");
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  // Before it is decoded: an array could be as large as the file.
  if (entry.type !== "uint32") {
    throw cursor.error(
      "GGUF_ALIGNMENT",
      `general.alignment is of type ${entry.type}, not uint32`,
      entry.offset,
    );
  }
  const alignment = entry.decode().value as number;
  const powerOfTwo = alignment > 0 && (alignment & (alignment - 1)) === 0;
  if (!powerOfTwo || alignment > MAX_ALIGNMENT) {
    const reason = `general.alignment is ${alignment}, not a power of two up to ${MAX_ALIGNMENT}`;
    throw cursor.error("GGUF_ALIGNMENT", reason, entry.offset);
  }
  return alignment;
}

/** A tensor before its place in the file is checked. */
interface DeclaredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  /** Undefined for an unknown type. */
  readonly byteLength: number | undefined;
  /** From the start of the data section. */
  readonly dataOffset: number;
  /** Where in the file `dataOffset` stands. */
  readonly declaredAt: number;
}

function readTensors(cursor: Cursor, count: number): DeclaredTensor[] {
  const names = new Set<string>();
  const tensors: DeclaredTensor[] = [];
  for (let i = 0; i < count; i++) {
    const at = cursor.position;
    const name = cursor.string(`the name of tensor ${i}`);
    if (names.has(name)) throw cursor.error("GGUF_DUPLICATE", `the tensor ${name} occurs twice`, at);
    names.add(name);
    tensors.push(readTensor(cursor, name));
  }
  return tensors;
}

function readTensor(cursor: Cursor, name: string): DeclaredTensor {
  const at = cursor.position;
  const dimensions = cursor.u32(`the dimensions of ${name}`);
  if (dimensions > MAX_DIMENSIONS) {
    throw cursor.error("GGUF_TENSOR_SHAPE", `${name} has ${dimensions} dimensions, where 4 is the most`, at);
  }
  const shape = Array.from({ length: dimensions }, () => cursor.u64(`a dimension of ${name}`));
  const type = cursor.u32(`the type of ${name}`);
  const byteLength = tensorSize(shape, type);
  if (byteLength !== undefined && !Number.isSafeInteger(byteLength)) {
    const reason = `${name} of shape ${shape.join("×")} is no whole number of ${ggmlTypeName(type)} blocks or too large`;
    throw cursor.error("GGUF_TENSOR_SHAPE", reason, at);
  }
  const declaredAt = cursor.position;
  return { name, shape, type, byteLength, dataOffset: cursor.u64(`the offset of ${name}`), declaredAt };
}

/** Bytes of a tensor; undefined for an unknown type, NaN if its rows are no whole number of blocks. */
function tensorSize(shape: readonly number[], type: number): number | undefined {
  const known = GGML_TYPES.get(type);
  if (known === undefined) return undefined;
  const [rowLength = 1, ...rest] = shape;
  if (rowLength % known.blockSize !== 0) return Number.NaN;
  return (rowLength / known.blockSize) * known.typeSize * rest.reduce((rows, n) => rows * n, 1);
}

/** Checks that the tensors lie aligned, apart from each other and within the file; keeps their order. */
function placeTensors(
  cursor: Cursor,
  tensors: readonly DeclaredTensor[],
  dataStart: number,
  alignment: number,
  fileSize: number,
): HeaderTensor[] {
  const misplaced = (tensor: DeclaredTensor, fault: string) =>
    cursor.error("GGUF_TENSOR_LAYOUT", `the data of ${tensor.name} ${fault}`, tensor.declaredAt);
  const byOffset = tensors.toSorted((a, b) => a.dataOffset - b.dataOffset);
  const placed = new Map<DeclaredTensor, HeaderTensor>();
  let previousEnd = dataStart;
  for (const [i, tensor] of byOffset.entries()) {
    const { name, shape, type, dataOffset } = tensor;
    if (dataOffset % alignment !== 0) throw misplaced(tensor, `is not aligned to ${alignment} bytes`);
    const fileOffset = dataStart + dataOffset;
    if (fileOffset < previousEnd) throw misplaced(tensor, "overlaps another tensor's");
    // An unknown type's size is not known either: its data goes as far as it can.
    const next = byOffset[i + 1];
    const limit = next === undefined ? fileSize : dataStart + next.dataOffset;
    const byteLength = tensor.byteLength ?? limit - fileOffset;
    previousEnd = fileOffset + byteLength;
    if (byteLength < 0 || previousEnd > fileSize) {
      const reason = `the file ends before the data of ${name}, which takes ${byteLength} bytes from ${fileOffset} on`;
      throw cursor.error("GGUF_TRUNCATED", reason, fileSize);
    }
    placed.set(tensor, { name, shape, type, byteLength, fileOffset });
  }
  return tensors.map((tensor) => placed.get(tensor) as HeaderTensor);
}
