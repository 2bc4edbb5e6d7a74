import { alignUp } from "./header.ts";
import type { MetadataEntry } from "./types.ts";
import { concat, encodeString, encodeType, encodeValue } from "./values.ts";

/** Metadata as it is to stand in a file: a `MetadataEntry` or one made from `encodeValue`. */
export type RawEntry = Pick<MetadataEntry, "key" | "type" | "raw">;

/** A tensor as it is to stand in a file. */
export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly byteLength: number;
}

export interface HeaderToWrite {
  readonly version: 2 | 3;
  readonly alignment: number;
  readonly metadata: readonly RawEntry[];
  readonly tensors: readonly TensorToWrite[];
}

/** A header and where the tensors' data belongs after it. */
export interface WrittenHeader {
  /** Everything before the data, padded to the alignment. */
  readonly bytes: Uint8Array;
  /** Absolute offset of each tensor's data. */
  readonly offsets: readonly number[];
  /** Size of the whole file, the last tensor padded. */
  readonly fileSize: number;
}

const uint32 = (value: number) => encodeValue({ type: "uint32", value });
const uint64 = (value: number) => encodeValue({ type: "uint64", value: BigInt(value) });

/**
 * Lays out a file: each tensor follows the one before it, padded to the alignment, which is the only layout that
 * llama.cpp accepts (source: `gguf_init_from_reader`, "tensor … has offset …, expected …").
 */
export function writeHeader({ version, alignment, metadata, tensors }: HeaderToWrite): WrittenHeader {
  const dataOffsets: number[] = [];
  let dataSize = 0;
  for (const { byteLength } of tensors) {
    dataOffsets.push(dataSize);
    dataSize += alignUp(byteLength, alignment);
  }
  const header = concat([
    new TextEncoder().encode("GGUF"),
    uint32(version),
    uint64(tensors.length),
    uint64(metadata.length),
    ...metadata.flatMap(({ key, type, raw }) => [encodeString(key), encodeType(type), raw]),
    ...tensors.flatMap(({ name, shape, type }, i) => [
      encodeString(name),
      uint32(shape.length),
      ...shape.map(uint64),
      uint32(type),
      uint64(dataOffsets[i] as number),
    ]),
  ]);
  const dataStart = alignUp(header.length, alignment);
  return {
    bytes: concat([header, new Uint8Array(dataStart - header.length)]),
    offsets: dataOffsets.map((offset) => dataStart + offset),
    fileSize: dataStart + dataSize,
  };
}
