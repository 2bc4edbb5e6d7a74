import type { GgufFile, GgufValue, MetadataType, TensorInfo } from "../gguf/types.ts";
import { ArchitectureError } from "./errors.ts";
import { type Loops, loopsFault, loopsOf, MOST_BLOCKS } from "./loops.ts";

/** A model file as the rules see it: its architecture's metadata by short key, and its blocks. */
export interface ModelMetadata {
  /** `general.architecture`. */
  readonly name: string;
  /** Layers that the file holds: `<arch>.block_count`, which counts each `loops.entries` times. */
  readonly blockCount: number;
  /** Trailing multi-token-prediction blocks, which `blockCount` includes. */
  readonly predictionBlocks: number;
  /** Blocks of the model proper: `blockCount` − `predictionBlocks`. */
  readonly trunkBlocks: number;
  readonly loops: Loops;
  /** `key` without the architecture's prefix → the key in the file. */
  fullKey(key: string): string;
  /** The decoded value, or undefined when the file has no such key. */
  value(key: string): GgufValue | undefined;
  /** A scalar number; undefined when the key is missing or an array. */
  number(key: string): number | undefined;
  /** The numbers (booleans as 0 and 1) of an array; undefined when the key is missing or a scalar. */
  numbers(key: string): readonly number[] | undefined;
  /** Number of entries of `tokenizer.ggml.tokens`, which some architectures tell their variants by. */
  readonly vocabularySize: number;
  tensor(name: string): TensorInfo | undefined;
}

/** Keys that llama.cpp reads without the architecture's prefix (LLM_KV_NAMES in src/llama-arch.cpp). */
const UNPREFIXED = /^xielu\./;

/** @throws ArchitectureError when `general.architecture` or the block count is missing or senseless */
export function readModel(file: GgufFile): ModelMetadata {
  const decode = (key: string) => file.metadata.get(key)?.decode();
  const architecture = file.metadata.get("general.architecture");
  if (architecture?.type !== "string") {
    throw new ArchitectureError(
      "ARCHITECTURE_METADATA",
      `${file.paths[0]} has no general.architecture, so it is not a model that llama.cpp can run; give a complete model file.`,
    );
  }
  const name = String(architecture.decode().value);
  const fullKey = (key: string) => (UNPREFIXED.test(key) ? key : `${name}.${key}`);
  const value = (key: string) => decode(fullKey(key));
  const isArray = (key: string) => file.metadata.get(fullKey(key))?.type === "array";
  // An array could be as large as the file: it is not decoded where a scalar is asked for, and the other way round.
  const number = (key: string) => (isArray(key) ? undefined : toNumber(value(key)));
  const tensors = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));

  const counted = number("block_count") ?? 0;
  const predictionBlocks = number("nextn_predict_layers") ?? 0;
  if (counted > MOST_BLOCKS) {
    throw new ArchitectureError(
      "ARCHITECTURE_METADATA",
      `${file.paths[0]} (${name}) says that it has ${counted} layers, and llama.cpp runs ${MOST_BLOCKS} at most; download or convert it again.`,
    );
  }
  if (!Number.isSafeInteger(counted) || counted < 1 || predictionBlocks >= counted) {
    throw new ArchitectureError(
      "ARCHITECTURE_METADATA",
      `${file.paths[0]} (${name}) has ${counted} layers of which ${predictionBlocks} predict ahead, so there is nothing to prune; give a complete language model.`,
    );
  }
  const fault = loopsFault(name, counted, number);
  if (fault) {
    throw new ArchitectureError(
      "ARCHITECTURE_METADATA",
      `${file.paths[0]} cannot be run by llama.cpp: ${fault}; download or convert it again.`,
    );
  }
  const loops = loopsOf(name, counted, number);
  return {
    name,
    blockCount: loops.layers,
    predictionBlocks,
    trunkBlocks: loops.layers - predictionBlocks,
    loops,
    fullKey,
    value,
    number,
    numbers: (key) => toNumbers(value(key)),
    vocabularySize: number("vocab_size") ?? file.metadata.get("tokenizer.ggml.tokens")?.length ?? 0,
    tensor: (tensor) => tensors.get(tensor),
  };
}

/** A value as llama.cpp's converters write it. */
export function uint32(value: number): GgufValue {
  return { type: "uint32", value };
}

export function float32(value: number): GgufValue {
  return { type: "float32", value: Math.fround(value) };
}

export function boolArray(values: readonly boolean[]): GgufValue {
  return { type: "array", elementType: "bool", value: values };
}

/** The same scalar type with another value. */
export function sameType(value: GgufValue, next: number): GgufValue {
  if (value.type === "array") throw new TypeError("a scalar was expected");
  if (value.type === "bool") return { type: value.type, value: next !== 0 };
  return { type: value.type, value: BIG.has(value.type) ? BigInt(next) : next };
}

const BIG: ReadonlySet<MetadataType> = new Set(["uint64", "int64"]);

function toNumber(value: GgufValue | undefined): number | undefined {
  if (!value || value.type === "array" || value.type === "string") return undefined;
  return Number(value.value);
}

function toNumbers(value: GgufValue | undefined): readonly number[] | undefined {
  if (value?.type !== "array" || value.elementType === "array" || value.elementType === "string")
    return undefined;
  return value.value.map(Number);
}
