import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { throwIfAborted } from "../errors.ts";
import type { GgufFile } from "./types.ts";

/** Bytes read at once. */
const CHUNK = 4 * 2 ** 20;

/**
 * SHA-256 of every byte of a model's files, in hexadecimal: what is kept from one run to the next goes by it. Takes about
 * as long as reading them. Throws what Node throws.
 * @throws AbortedError
 */
export async function contentDigest(
  { paths }: Pick<GgufFile, "paths">,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
      throwIfAborted(signal);
      hash.update(chunk as Buffer);
    }
  }
  return hash.digest("hex");
}
