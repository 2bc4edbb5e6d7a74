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
 * A model's identity, in hexadecimal: SHA-256 of its metadata (without `split.*`), of its tensors' names, types,
 * shapes and sizes, and of the first and last 4 KiB of each tensor. Takes a fraction of a second whatever the model's
 * size. The same for one model split or merged and under any GGUF version; different for a model with the same shape
 * and other weights.
 */
export async function fingerprint(file: GgufFile): Promise<string> {
  const hash = createHash("sha256");
  for (const { key, type, raw } of file.metadata.values()) {
    if (key.startsWith("split.")) continue;
    hash.update(encodeString(key)).update(encodeType(type)).update(raw);
  }
  for (const { name, type, shape, byteLength } of file.tensors) {
    const numbers = [type, byteLength, ...shape].map(BigInt);
    hash.update(encodeString(name));
    hash.update(encodeValue({ type: "array", elementType: "uint64", value: numbers }));
  }
  for (const sample of await readSamples(file)) hash.update(sample);
  return hash.digest("hex");
}

async function readSamples(file: GgufFile): Promise<Uint8Array[]> {
  const parts = await Promise.all(file.paths.map(openOnDisk));
  try {
    const samples: Uint8Array[] = new Array(file.tensors.length);
    const queue = file.tensors.entries();
    const reader = async () => {
      for (const [i, tensor] of queue) samples[i] = await readEnds(file, parts, tensor);
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
