import { CalibrationError } from "./errors.ts";

export const DEFAULT_SEQUENCE_LENGTH = 512;

/** Sequences analysed at most when the user names no number. */
export const MOST_SEQUENCES = 128;

/** Sequences that a choice is measured on at most. */
export const MOST_FOR_CHOICE = 32;

/** Sequences that a result is measured on at most: enough to tell a perplexity within a few per cent. */
export const MOST_FOR_REPORT = 16;

export interface SequenceSettings {
  /** Tokens in each sequence, the BOS token included. */
  readonly sequenceLength: number;
  /** How many sequences to take. */
  readonly sequences?: number | undefined;
  /** The token that each sequence begins with, or −1 for none (the default). */
  readonly bos?: number | undefined;
}

/**
 * Cuts a text's tokens into consecutive windows that do not overlap; what is left over at the end is dropped.
 * Without BOS this is the reference's definition: the text is tokenised once, without special tokens, and then cut.
 * @returns the first `sequences` windows, or as many as there are, each of `sequenceLength` tokens
 * @throws CalibrationError `CALIBRATION_TOO_SHORT`
 */
export function cutSequences(
  tokens: Int32Array,
  { sequenceLength, sequences, bos = -1 }: SequenceSettings,
): Int32Array[] {
  const length = bos < 0 ? sequenceLength : sequenceLength - 1;
  const available = Math.floor(tokens.length / length);
  const wanted = sequences ?? Math.max(available, 1);
  if (available < wanted) throw tooShort(tokens.length, `${wanted} × ${length}`, wanted * length);
  return Array.from({ length: wanted }, (_, i) =>
    withBos(tokens.subarray(i * length, (i + 1) * length), bos),
  );
}

/** Tokens after the one that the model wants before them. @param bos that token, or −1 for none */
export function withBos(tokens: Int32Array, bos: number): Int32Array {
  if (bos < 0) return tokens;
  const whole = new Int32Array(1 + tokens.length);
  whole[0] = bos;
  whole.set(tokens, 1);
  return whole;
}

/** As `withBos`, of tokens that may begin with it already, as a chat's do. */
export function beginWithBos(tokens: Int32Array, bos: number): Int32Array {
  return tokens[0] === bos ? tokens : withBos(tokens, bos);
}

function tooShort(tokens: number, what: string, needed: number): CalibrationError {
  return new CalibrationError(
    "CALIBRATION_TOO_SHORT",
    `The text has ${tokens} tokens, but ${what} are needed (${needed}); give a longer text or lower \`sequences\` or \`sequenceLength\`.`,
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

/** The parts of a text: what the analysis measures, what a choice is made on, and what the result is reported on. */
export const TEXT_PARTS = ["analysis", "choice", "report"] as const;
export type TextPart = (typeof TEXT_PARTS)[number];

/** Windows of a text by the part that they belong to; no window is in two, none is empty. */
export type DealtText = Readonly<Record<TextPart, Int32Array[]>>;

/** Whose the windows are, in turn: half of them the analysis's, a quarter each of the others'. */
const TURNS: readonly TextPart[] = ["analysis", "choice", "analysis", "report"];

/**
 * Deals a text's windows in turn, so that each part has passages from everywhere in the text. With `sequences` given,
 * exactly that many are analysed and only as much of the text is dealt as that takes; otherwise all of it, at most
 * MOST_SEQUENCES, MOST_FOR_CHOICE and MOST_FOR_REPORT, spread over the text.
 * @returns those of the analysis in the text's order; of the others any first few are spread over it
 * @throws CalibrationError `CALIBRATION_TOO_SHORT` for a text that does not give each part a window
 */
export function dealSequences(
  tokens: Int32Array,
  { sequenceLength, sequences, bos = -1 }: SequenceSettings,
): DealtText {
  const length = bos < 0 ? sequenceLength : sequenceLength - 1;
  const rounds = sequences === undefined ? 1 : Math.ceil(sequences / 2);
  const needed = TURNS.length * rounds;
  if (Math.floor(tokens.length / length) < needed) {
    throw tooShort(tokens.length, `${needed} × ${length} for analysis, choice and report`, needed * length);
  }
  const windows = cutSequences(tokens, {
    sequenceLength,
    bos,
    ...(sequences !== undefined && { sequences: needed }),
  });
  const of = (part: TextPart) => windows.filter((_, index) => TURNS[index % TURNS.length] === part);
  return {
    analysis: of("analysis").slice(0, sequences ?? MOST_SEQUENCES),
    choice: spreadOut(of("choice")).slice(0, MOST_FOR_CHOICE),
    report: spreadOut(of("report")).slice(0, MOST_FOR_REPORT),
  };
}
