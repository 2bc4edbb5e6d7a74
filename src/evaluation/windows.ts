import type { Hash } from "node:crypto";
import { cutSequences, type SequenceSettings, withBos } from "../calibration/sequences.ts";
import { UsageError } from "../errors.ts";

/**
 * How a text is cut and what is scored.
 *
 * - `windows`: consecutive windows of the text's tokens, each after the model's BOS token, if it has one; what is
 *   predicted from there on, after at least one token of the text, is scored.
 * - `llama.cpp`: what llama-perplexity does: the model's BOS token, if it has one, is put before the text and again
 *   over the first token of each window, and only the second half of a window is scored, tokens n/2 + 2…n.
 */
export const PROTOCOLS = ["windows", "llama.cpp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** @throws UsageError `OPTION_INVALID` for windows of which no token is scored */
export function checkWindows(protocol: Protocol, sequenceLength: number, bos = -1): void {
  if (sequenceLength > 2 || (protocol === "windows" && sequenceLength > firstScored(bos))) return;
  throw new UsageError(
    "OPTION_INVALID",
    `Of windows of ${sequenceLength} tokens ${protocol === "windows" ? "behind a BOS token none is scored" : "the protocol llama.cpp scores none"}; give a sequence length of at least 3.`,
  );
}

/** Token sequences to be scored, each on its own. */
export interface Windows {
  readonly sequences: readonly Int32Array[];
  /** Index of the first token scored in each, ≥ 1. */
  readonly first: number;
}

/** Adds windows to a digest: what is scored of which tokens. */
export function hashWindows(hash: Hash, { sequences, first }: Windows): Hash {
  hash.update(` ${first}`);
  for (const tokens of sequences) hash.update(` ${tokens.length} `).update(tokens);
  return hash;
}

export interface WindowSettings extends SequenceSettings {
  readonly protocol: Protocol;
  readonly bos: number;
}

/** Index of the first token that is predicted from a token of the text. @param bos what sequences begin with, or −1 */
export function firstScored(bos: number): number {
  return bos < 0 ? 1 : 2;
}

/** @throws CalibrationError `CALIBRATION_TOO_SHORT` */
export function cutWindows(tokens: Int32Array, settings: WindowSettings): Windows {
  const { protocol, bos, sequenceLength } = settings;
  if (protocol === "windows") {
    return { sequences: cutSequences(tokens, settings), first: firstScored(bos) };
  }
  const sequences = cutSequences(withBos(tokens, bos), { ...settings, bos: -1 });
  return {
    sequences: bos < 0 ? sequences : sequences.map((window) => window.with(0, bos)),
    first: Math.floor(sequenceLength / 2) + 1,
  };
}
