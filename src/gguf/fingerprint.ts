import { createHash } from "node:crypto";
import { GgufError } from "./errors.ts";
import { openOnDisk, type ReadableFile } from "./files.ts";
import type { GgufFile, TensorInfo } from "./types.ts";
import { encodeString, encodeType, encodeValue } from "./values.ts";

/** Bytes looked at from each end of every tensor. */
const SAMPLE = 4096;
/** Reads under way at once, so that a disk can order them. */
const READERS = 16;

/**
 * A model's identity, in hexadecimal: SHA-256 of its metadata, of its tensors' names, types, shapes and sizes, and of the
 * first and last 4 KiB of each tensor. How the file is laid out does not count: its GGUF version, its parts, the order of
 * tensors, padding. Takes a fraction of a second whatever the model's size.
 */
export async function fingerprint(file: GgufFile): Promise<string> {
  const hash = createHash("sha256");
  for (const { key, type, raw } of file.metadata.values()) {
    if (key.startsWith("split.") || key === "lorp.padding") continue;
    hash.update(encodeString(key)).update(encodeType(type)).update(raw);
  }
  const tensors = file.tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, type, shape, byteLength } of tensors) {
    const numbers = [type, byteLength, ...shape].map(BigInt);
    hash.update(encodeString(name));
    hash.update(encodeValue({ type: "array", elementType: "uint64", value: numbers }));
  }
  const samples = await readSamples(file);
  for (const tensor of tensors) hash.update(samples.get(tensor) as Uint8Array);
  return hash.digest("hex");
}

/** Both ends of each tensor, read in file order. */
async function readSamples(file: GgufFile): Promise<Map<TensorInfo, Uint8Array>> {
  const parts = await Promise.all(file.paths.map(openOnDisk));
  try {
    const samples = new Map<TensorInfo, Uint8Array>();
    const queue = file.tensors.values();
    const reader = async () => {
      for (const tensor of queue) samples.set(tensor, await readEnds(file, parts, tensor));
    };
    await Promise.all(Array.from({ length: READERS }, reader));
    return samples;
  } finally {
    await Promise.all(parts.map((part) => part.close()));
  }
}

/** The first and the last bytes of a tensor, once if they are the same. */
async function readEnds(
  file: GgufFile,
  parts: readonly ReadableFile[],
  tensor: TensorInfo,
): Promise<Uint8Array> {
  const { name, byteLength, fileOffset } = tensor;
  const part = parts[tensor.file] as ReadableFile;
  const ends = new Uint8Array(Math.min(byteLength, 2 * SAMPLE));
  const half = Math.min(byteLength, SAMPLE);
  const tail = ends.subarray(half);
  const read =
    (await part.read(ends.subarray(0, half), fileOffset)) +
    (await part.read(tail, fileOffset + byteLength - tail.length));
  if (read < ends.length) {
    const path = file.paths[tensor.file] as string;
    throw new GgufError("GGUF_TRUNCATED", path, part.size, `the file ends within the data of ${name}`);
  }
  return ends;
}
