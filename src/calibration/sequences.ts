import { CalibrationError } from "./errors.ts";

export const DEFAULT_SEQUENCE_LENGTH = 512;

/** Sequences analysed at most when the user names no number. */
export const MOST_SEQUENCES = 128;

/** Sequences held back at most: enough to tell a perplexity within a few per cent. */
export const MOST_HELD_BACK = 16;

export interface SequenceSettings {
  /** Tokens in each sequence. */
  readonly sequenceLength: number;
  /** How many sequences to analyse. */
  readonly sequences?: number | undefined;
}

/**
 * Cuts a text's tokens into consecutive windows that do not overlap; what is left over at the end is dropped.
 * This is the reference's definition: the text is tokenised once, without special tokens, and then cut.
 * @returns the first `sequences` windows, or as many as there are, each of `sequenceLength` tokens
 * @throws CalibrationError `CALIBRATION_TOO_SHORT`
 */
export function cutSequences(
  tokens: Int32Array,
  { sequenceLength, sequences }: SequenceSettings,
): Int32Array[] {
  const available = Math.floor(tokens.length / sequenceLength);
  const wanted = sequences ?? Math.max(available, 1);
  if (available < wanted) {
    throw new CalibrationError(
      "CALIBRATION_TOO_SHORT",
      `The text has ${tokens.length} tokens, but ${wanted} × ${sequenceLength} are needed ` +
        `(${wanted * sequenceLength}); give a longer text or lower --sequences or --sequence-length.`,
    );
  }
  return Array.from({ length: wanted }, (_, i) =>
    tokens.subarray(i * sequenceLength, (i + 1) * sequenceLength),
  );
}

/**
 * The same windows in an order in which any first few are spread over the whole text: that of the numbers 0, 1, 2, …
 * with their bits reversed (van der Corput).
 */
export function spreadOut<T>(windows: readonly T[]): T[] {
  const bits = Math.ceil(Math.log2(Math.max(windows.length, 2)));
  const reversed = (number: number) =>
    Array.from({ length: bits }, (_, bit) => ((number >> bit) & 1) << (bits - 1 - bit)).reduce(
      (a, b) => a | b,
    );
  return Array.from({ length: 2 ** bits }, (_, number) => reversed(number))
    .filter((index) => index < windows.length)
    .map((index) => windows[index]!);
}

/** Which windows of a text are measured, and which are kept for judging the result. */
export interface HeldBackSplit {
  readonly analysis: Int32Array[];
  /** Windows that the analysis never sees; empty when the text has none left. */
  readonly heldBack: Int32Array[];
}

/**
 * Divides a text's windows: the first ones are analysed, and for every three of them one of those that follow is held
 * back, MOST_HELD_BACK at most. With `sequences` given, exactly that many are analysed; otherwise three quarters of what
 * there is, at most MOST_SEQUENCES.
 * @throws CalibrationError `CALIBRATION_TOO_SHORT`
 */
export function splitHeldBack(
  tokens: Int32Array,
  { sequenceLength, sequences }: SequenceSettings,
): HeldBackSplit {
  const available = Math.floor(tokens.length / sequenceLength);
  const analysed = sequences ?? Math.min(MOST_SEQUENCES, Math.max(1, Math.floor(available * 0.75)));
  const held = Math.min(MOST_HELD_BACK, Math.ceil(analysed / 3));
  return {
    analysis: cutSequences(tokens, { sequenceLength, sequences: analysed }),
    heldBack: cutSequences(tokens, { sequenceLength }).slice(analysed, analysed + held),
  };
}
