import { cutSequences, type SequenceSettings } from "../calibration/sequences.ts";

/**
 * How a text is cut and what is scored.
 *
 * - `windows`: consecutive windows of the text's tokens, without special tokens; of each the tokens 2…n are scored.
 * - `llama.cpp`: what llama-perplexity does: the model's BOS token, if it has one, is put before the text and again
 *   over the first token of each window, and only the second half of a window is scored, tokens n/2 + 2…n.
 */
export const PROTOCOLS = ["windows", "llama.cpp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

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
  const sequences =
    bos < 0
      ? cutSequences(tokens, settings)
      : cutSequences(Int32Array.of(bos, ...tokens), settings).map((window) => window.with(0, bos));
  return { sequences, first: Math.floor(sequenceLength / 2) + 1 };
}
