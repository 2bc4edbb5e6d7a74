import { readFile } from "node:fs/promises";
import { throwIfAborted } from "../errors.ts";
import { unreadable } from "./errors.ts";
import { readGgufImatrix } from "./gguf.ts";
import { parseLegacyImatrix } from "./legacy.ts";
import type { ImportanceMatrix } from "./types.ts";

/** Squares of what a layer reads are far less; llama.cpp's sums with more overflow, and it writes zeros without a word. */
const LARGEST_MEAN = 1e15;

/**
 * Reads an importance matrix of either format of llama-imatrix.
 * @throws ImatrixError `IMATRIX_UNREADABLE`, GgufError, AbortedError
 */
export async function readImatrix(path: string, signal?: AbortSignal): Promise<ImportanceMatrix> {
  throwIfAborted(signal);
  const bytes = await readFile(path, { signal }).catch((error: unknown) => {
    throwIfAborted(signal);
    throw unreadable(path, `the system says ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  });
  const isGguf = bytes.subarray(0, 4).toString("latin1") === "GGUF";
  const matrix = isGguf ? await readGgufImatrix(path, bytes, signal) : parseLegacyImatrix(path, bytes);
  for (const [name, values] of matrix.values) {
    if (!values.every(Number.isFinite)) throw unreadable(path, `${name} has values that are no numbers`);
    const odd = values.find((value) => value < 0 || value > LARGEST_MEAN);
    if (odd !== undefined) {
      throw unreadable(path, `${name} says ${odd.toPrecision(3)}, which is no mean of squares`);
    }
  }
  return matrix;
}
