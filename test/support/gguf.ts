import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { GGML_TYPES } from "../../src/gguf/ggml-types.ts";
import { splitPath } from "../../src/gguf/split-name.ts";
import type { GgufValue, MetadataType, ScalarValue } from "../../src/gguf/types.ts";
import { encodeValue } from "../../src/gguf/values.ts";
import { writeHeader } from "../../src/gguf/write.ts";

/** A tensor of a model made for a test. */
export interface FixtureTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** A name of GGML_TYPES, `F32` unless given. */
  readonly type?: string;
  /** The bytes; unless given, random weights (F32, F16, BF16) or random bits (every other type). */
  readonly data?: Uint8Array;
}

export interface Fixture {
  readonly version?: 2 | 3;
  readonly metadata?: Readonly<Record<string, GgufValue>>;
  readonly tensors?: readonly FixtureTensor[];
  /** Seed of the random weights; the same seed gives the same file. */
  readonly seed?: number;
}

const scalar =
  (type: Exclude<MetadataType, "array">) =>
  (value: ScalarValue): GgufValue => ({ type, value });

export const u8 = scalar("uint8");
export const u16 = scalar("uint16");
export const u32 = scalar("uint32");
export const i32 = scalar("int32");
export const u64 = (value: number | bigint): GgufValue => ({ type: "uint64", value: BigInt(value) });
export const f32 = scalar("float32");
export const bool = scalar("bool");
export const str = scalar("string");
export const array = (
  elementType: Exclude<MetadataType, "array">,
  value: readonly ScalarValue[],
): GgufValue => ({
  type: "array",
  elementType,
  value,
});

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Halves the bits of a small normal number: 5 bits of exponent around 15, 10 of mantissa, cut off. */
function toF16Bits(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] as number;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  const magnitude = exponent <= 0 ? 0 : (exponent << 10) | ((bits >>> 13) & 0x3ff);
  return ((bits >>> 16) & 0x8000) | magnitude;
}

/** Weights of standard deviation about 1/√(row length), so that activations keep their size through the blocks. */
function randomData(shape: readonly number[], type: string, random: () => number): Uint8Array {
  const elements = shape.reduce((product, n) => product * n, 1);
  const weight = () => ((random() + random() + random() - 1.5) * 2) / Math.sqrt(shape[0] ?? 1);
  if (type === "F32") return new Uint8Array(Float32Array.from({ length: elements }, weight).buffer);
  if (type === "F16") {
    return new Uint8Array(Uint16Array.from({ length: elements }, () => toF16Bits(weight())).buffer);
  }
  if (type === "BF16") {
    const wide = new Uint32Array(Float32Array.from({ length: elements }, weight).buffer);
    return new Uint8Array(Uint16Array.from(wide, (bits) => bits >>> 16).buffer);
  }
  const { blockSize, typeSize } = ggmlType(type);
  return Uint8Array.from({ length: (elements / blockSize) * typeSize }, () => random() * 256);
}

function ggmlType(name: string): { number: number; blockSize: number; typeSize: number } {
  for (const [number, type] of GGML_TYPES) if (type.name === name) return { number, ...type };
  throw new Error(`no ggml type is called ${name}`);
}

/** A whole GGUF file. `general.alignment` in the metadata is honoured. */
export function buildGguf({ version = 3, metadata = {}, tensors = [], seed = 1 }: Fixture): Uint8Array {
  const random = randomNumbers(seed);
  const filled = tensors.map(({ name, shape, type = "F32", data }) => {
    const bytes = data ?? randomData(shape, type, random);
    return { name, shape, type: ggmlType(type).number, byteLength: bytes.length, bytes };
  });
  const { bytes, offsets, fileSize } = writeHeader({
    version,
    alignment: Number(metadata["general.alignment"]?.value ?? 32),
    metadata: Object.entries(metadata).map(([key, value]) => ({
      key,
      type: value.type,
      raw: encodeValue(value),
    })),
    tensors: filled,
  });
  const file = new Uint8Array(fileSize);
  file.set(bytes);
  for (const [i, tensor] of filled.entries()) file.set(tensor.bytes, offsets[i]);
  return file;
}

/**
 * The parts of a split model, the way llama.cpp's gguf-split makes them: metadata in the first part only.
 * @param perPart number of tensors in each part; 0 makes a part without tensors
 */
export function buildSplitGguf(fixture: Fixture, perPart: readonly number[]): Uint8Array[] {
  const tensors = fixture.tensors ?? [];
  let start = 0;
  return perPart.map((count, no) => {
    const split = {
      "split.no": u16(no),
      "split.count": u16(perPart.length),
      "split.tensors.count": i32(tensors.length),
    };
    const part = tensors.slice(start, start + count);
    start += count;
    const metadata = no === 0 ? { ...fixture.metadata, ...split } : split;
    return buildGguf({ ...fixture, metadata, tensors: part, seed: (fixture.seed ?? 1) + no });
  });
}

/** A new empty folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lorp-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file into a folder and returns its path. */
export function writeInto(folder: string, name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Writes the parts of a split model and returns their paths. */
export function writeParts(folder: string, name: string, parts: readonly Uint8Array[]): string[] {
  return parts.map((bytes, no) => {
    const path = splitPath(join(folder, name), no, parts.length);
    writeFileSync(path, bytes);
    return path;
  });
}
