import { appendFile } from "node:fs/promises";

/**
 * Why a library could not write to a file, where it does not say: what the system says to one more write at its end.
 * @returns undefined where the system has nothing against it
 */
export async function refusedWrite(path: string): Promise<unknown> {
  return appendFile(path, new Uint8Array(2 ** 20)).catch((refusal: unknown) => refusal);
}
