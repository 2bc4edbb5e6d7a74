/** The GGUF file format's nouns (source: llama.cpp `ggml/include/gguf.h`). Nothing here knows what a block is. */

/** Metadata value types, in the order of their on-disk numbers 0…12. */
export const METADATA_TYPES = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "bool",
  "string",
  "array",
  "uint64",
  "int64",
  "float64",
] as const;

export type MetadataType = (typeof METADATA_TYPES)[number];
export type ScalarType = Exclude<MetadataType, "array">;
export type ScalarValue = number | bigint | boolean | string;

/**
 * A typed metadata value. `uint64` and `int64` are bigint, every other number is a number. Arrays of arrays occur in
 * the format but not in known models; their elements are `GgufArray`.
 */
export type GgufValue = GgufScalar | GgufArray;

/** What is written instead of the encoded value: bytes of a file that are carried over, UTF-8 or not. */
interface Carried {
  readonly raw?: Uint8Array;
}

export interface GgufScalar extends Carried {
  readonly type: ScalarType;
  readonly value: ScalarValue;
}

export interface GgufArray extends Carried {
  readonly type: "array";
  readonly elementType: MetadataType;
  readonly value: readonly ScalarValue[] | readonly GgufArray[];
}

/** One key/value pair. `raw` is the value exactly as on disk (element type and count of an array included). */
export interface MetadataEntry {
  readonly key: string;
  readonly type: MetadataType;
  /** For arrays: the element type and the number of elements, known without decoding. */
  readonly elementType?: MetadataType;
  readonly length?: number;
  readonly raw: Uint8Array;
  /** Decodes `raw`; cached. */
  decode(): GgufValue;
}

/** Where one tensor's bytes are and what they mean. */
export interface TensorInfo {
  readonly name: string;
  /** ggml's order: ne[0] is the contiguous dimension. Number of elements is the product. */
  readonly shape: readonly number[];
  /** ggml type number; may be one this version does not know. */
  readonly type: number;
  /** `Q4_K`, … or `type-99` for an unknown one. */
  readonly typeName: string;
  /** Bytes of data without padding. For an unknown type: up to the next tensor or the end of the file. */
  readonly byteLength: number;
  /** The file that holds the data (a split model has several) and the absolute offset in it. */
  readonly file: number;
  readonly fileOffset: number;
}

/** A model read from one GGUF file or from all parts of a split one. */
export interface GgufFile {
  readonly version: 2 | 3;
  /** Paths of the parts, in order; one entry for an unsplit file. */
  readonly paths: readonly string[];
  /** Sizes of the parts in bytes. */
  readonly sizes: readonly number[];
  /** What `stateOf` told of the parts as their headers were read. */
  readonly states: readonly string[];
  /** `general.alignment` or 32. */
  readonly alignment: number;
  /** In file order. Of a split model: the first part's, `split.*` included. */
  readonly metadata: ReadonlyMap<string, MetadataEntry>;
  /** In file order, parts in order. */
  readonly tensors: readonly TensorInfo[];
}
