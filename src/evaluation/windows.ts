import { cutSequences, type SequenceSettings } from "../calibration/sequences.ts";
import { UsageError } from "../errors.ts";

/**
 * How a text is cut and what is scored.
 *
 * - `windows`: consecutive windows of the text's tokens, without special tokens; of each the tokens 2…n are scored.
 * - `llama.cpp`: what llama-perplexity does: the model's BOS token, if it has one, is put before the text and again
 *   over the first token of each window, and only the second half of a window is scored, tokens n/2 + 2…n.
 */
export const PROTOCOLS = ["windows", "llama.cpp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** @throws UsageError `OPTION_INVALID` for windows of which llama.cpp's protocol scores no token */
export function checkWindows(protocol: Protocol, sequenceLength: number): void {
  if (protocol !== "llama.cpp" || sequenceLength >= 3) return;
  throw new UsageError(
    "OPTION_INVALID",
    `Of windows of ${sequenceLength} tokens the protocol llama.cpp scores none; give a sequence length of at least 3.`,
  );
}

/** Token sequences to be scored, each on its own. */
export interface Windows {
  readonly sequences: readonly Int32Array[];
  /** Index of the first token scored in each, ≥ 1. */
  readonly first: number;
}

export interface WindowSettings extends SequenceSettings {
  readonly protocol: Protocol;
  /** The token that the model wants before a text, or −1. */
  readonly bos: number;
}

/** @throws CalibrationError `CALIBRATION_TOO_SHORT` */
export function cutWindows(tokens: Int32Array, settings: WindowSettings): Windows {
  const { protocol, bos, sequenceLength } = settings;
  if (protocol === "windows") return { sequences: cutSequences(tokens, settings), first: 1 };
  const sequences = cutSequences(withBos(tokens, bos), settings);
  return {
    sequences: bos < 0 ? sequences : sequences.map((window) => window.with(0, bos)),
    first: Math.floor(sequenceLength / 2) + 1,
  };
}

/** A text's tokens after the one that the model wants before them. @param bos that token, or −1 for none */
export function withBos(tokens: Int32Array, bos: number): Int32Array {
  if (bos < 0) return tokens;
  const whole = new Int32Array(1 + tokens.length);
  whole[0] = bos;
  whole.set(tokens, 1);
  return whole;
}
