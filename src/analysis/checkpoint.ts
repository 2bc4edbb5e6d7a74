import { readFile } from "node:fs/promises";
import { writeWhole } from "../files/whole.ts";
import type { SequenceSums } from "./capture.ts";
import { CheckpointError } from "./errors.ts";

/** The form of the file; raised when it changes. */
const FORM = 1;

/** Writes what a capture has measured, exactly. */
export function writeCheckpoint(path: string, measured: readonly SequenceSums[]): Promise<void> {
  const sequences = measured.map(({ sums, tokens }) => ({ tokens, sums: toBase64(sums) }));
  return writeWhole(path, JSON.stringify({ form: FORM, sequences }));
}

/**
 * What `writeCheckpoint` was given; nothing where there is no file.
 * @throws CheckpointError for a file that is damaged
 */
export async function readCheckpoint(path: string): Promise<readonly SequenceSums[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new CheckpointError(
      `The checkpoint ${path} cannot be read (${error.code}): delete it, or use \`cache: false\`.`,
      { cause: error },
    );
  });
  if (text === undefined) return [];
  const sequences = parse(text);
  if (!sequences) {
    throw new CheckpointError(
      `The checkpoint ${path} is damaged or another version's: delete it, or use \`cache: false\`.`,
    );
  }
  return sequences;
}

/** undefined for what is no checkpoint */
function parse(text: string): SequenceSums[] | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { form, sequences } = Object(content) as { form?: unknown; sequences?: unknown };
  if (form !== FORM || !Array.isArray(sequences)) return undefined;
  const measured = sequences.map((sequence: { tokens?: unknown; sums?: unknown }) => ({
    tokens: Number(sequence?.tokens),
    sums: fromBase64(String(sequence?.sums)),
  }));
  const size = measured[0]?.sums.length ?? 0;
  const sound = measured.every(
    ({ tokens, sums }) => tokens > 0 && size > 0 && sums.length === size && Number.isInteger(Math.sqrt(size)),
  );
  return sound ? measured : undefined;
}

/** Little-endian doubles. */
function toBase64(values: Float64Array): string {
  const bytes = Buffer.alloc(values.length * Float64Array.BYTES_PER_ELEMENT);
  values.forEach((value, index) => {
    bytes.writeDoubleLE(value, index * Float64Array.BYTES_PER_ELEMENT);
  });
  return bytes.toString("base64");
}

function fromBase64(text: string): Float64Array {
  const bytes = Buffer.from(text, "base64");
  const length = Math.floor(bytes.length / Float64Array.BYTES_PER_ELEMENT);
  return Float64Array.from({ length }, (_, index) =>
    bytes.readDoubleLE(index * Float64Array.BYTES_PER_ELEMENT),
  );
}
