import { createHash } from "node:crypto";
import type { Calibration } from "./load.ts";
import { loadBooks } from "./load.ts";
import { cutSequences, type DealtText, type SequenceSettings } from "./sequences.ts";

/** What linear maps are fitted on. */
export interface FitText extends Pick<Calibration, "name" | "sha256"> {
  readonly sequences: readonly Int32Array[];
}

/**
 * The analysis part of a text. Maps gain by more text than an analysis needs, so that passages of books stand beside
 * lorp's own, unless a number of sequences is asked for.
 * @param tokenize of the model
 * @throws CalibrationError
 */
export async function fitTextOf(
  { isOwn, name, sha256 }: Calibration,
  { analysis }: DealtText,
  { sequences, ...settings }: SequenceSettings,
  tokenize: (text: string) => Promise<Int32Array>,
): Promise<FitText> {
  if (!isOwn || sequences !== undefined) return { name, sha256, sequences: analysis };
  const books = await loadBooks();
  const passages = cutSequences(await tokenize(books.text), settings);
  return {
    name: `${name} and ${books.name}`,
    sha256: createHash("sha256").update(sha256).update(books.sha256).digest("hex"),
    sequences: [...analysis, ...passages],
  };
}
