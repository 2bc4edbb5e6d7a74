import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { throwIfAborted } from "../errors.ts";
import { GgufError } from "../gguf/errors.ts";
import { unreadable } from "../gguf/read.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { encodeString, encodeType, encodeValue } from "../gguf/values.ts";
import { KEYS } from "./keys.ts";

/** Bytes read at once. */
const CHUNK = 4 * 2 ** 20;

/**
 * A model's identity, in hexadecimal: SHA-256 of its metadata and of its tensors' names, types, shapes, sizes and bytes,
 * all of them. How the file is laid out does not count: its GGUF version, its parts, the order of tensors, padding.
 * Takes about as long as reading the file.
 * @throws GgufError when the file cannot be read, or ends within a tensor's data; AbortedError
 */
export async function fingerprint(file: GgufFile, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for (const { key, type, raw } of file.metadata.values()) {
    if (key.startsWith("split.") || key === KEYS.padding) continue;
    hash.update(encodeString(key)).update(encodeType(type)).update(raw);
  }
  const tensors = file.tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, type, shape, byteLength } of tensors) {
    const numbers = [type, byteLength, ...shape].map(BigInt);
    hash.update(encodeString(name));
    hash.update(encodeValue({ type: "array", elementType: "uint64", value: numbers }));
  }
  for (const tensor of tensors) {
    for await (const chunk of bytesOf(file, tensor)) {
      throwIfAborted(signal);
      hash.update(chunk);
    }
  }
  return hash.digest("hex");
}

async function* bytesOf(file: GgufFile, { name, byteLength, fileOffset, ...tensor }: TensorInfo) {
  const path = file.paths[tensor.file]!;
  // A stream takes the end as included.
  const range = { start: fileOffset, end: fileOffset + byteLength - 1, highWaterMark: CHUNK };
  let left = byteLength;
  try {
    for await (const chunk of byteLength > 0 ? createReadStream(path, range) : []) {
      left -= (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  if (left === 0) return;
  const reason = `the file ends within the data of ${name}`;
  throw new GgufError("GGUF_TRUNCATED", path, fileOffset + byteLength - left, reason);
}
