import type { FileHandle } from "node:fs/promises";
import { MoreBytesNeeded } from "../gguf/cursor.ts";
import { parseHeader } from "../gguf/header.ts";
import { MAX_HEADER } from "../gguf/read.ts";

/** The first look at a file's header, bytes; each further one is at twice as many. */
const FIRST_LOOK = 2 ** 20;

/**
 * Judges the length of a file whose server does not say it, while it is fetched: it may have what its own header
 * describes, and until that is there as much as a header may take.
 * @param path what errors call the file
 * @returns whether so many bytes, which are there, can be the file's. Throws GgufError where they begin no GGUF file
 */
export function createLimit(file: FileHandle, path: string): (done: number) => Promise<boolean> {
  let most: number | undefined;
  let look = FIRST_LOOK;
  return async (done) => {
    if (most === undefined && done >= look) {
      look = 2 * done;
      most = await describedLength(file, path, Math.min(done, MAX_HEADER));
    }
    return done <= (most ?? MAX_HEADER);
  };
}

/** The most bytes that a file can have by its header; undefined as long as that is not whole. */
async function describedLength(file: FileHandle, path: string, length: number): Promise<number | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
  try {
    const header = parseHeader(path, buffer.subarray(0, bytesRead), Number.MAX_SAFE_INTEGER);
    const ends = header.tensors.map(({ fileOffset, byteLength }) => fileOffset + byteLength);
    const end = ends.reduce((last, each) => Math.max(last, each), 0);
    // Of a type that is not known a tensor is as long as the file.
    return end === Number.MAX_SAFE_INTEGER ? MAX_HEADER : end + header.alignment;
  } catch (error) {
    if (error instanceof MoreBytesNeeded) return undefined;
    throw error;
  }
}
