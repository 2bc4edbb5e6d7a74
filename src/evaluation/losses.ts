import { createHash } from "node:crypto";
import { type KeptValues, valuesInMemory } from "../files/kept-values.ts";
import type { Lanes } from "../model/lanes.ts";
import type { BlockChanges, Session } from "../model/session.ts";
import type { TopDistributions } from "../native/addon.ts";
import type { LossSource } from "../selection/trials.ts";
import type { Windows } from "./windows.ts";

/**
 * How many of the most probable tokens are kept of each of the original's distributions: 8 bytes each. What KL loses by
 * taking the rest as one token is below a twentieth of it on a small model with flat distributions (test/evaluation/losses.test.ts).
 */
const KEPT_TOKENS = 1024;

/** KL(original ‖ changed model) at the scored tokens of a sequence, nats. */
type DivergenceOf = (changes: BlockChanges, sequence: number) => Promise<Float64Array>;

/** The original is run once over each sequence. */
export function divergenceSource(
  lanes: Lanes,
  { sequences, first }: Windows,
  vocabularySize: number,
): DivergenceOf {
  const bases = new Map<number, Promise<TopDistributions>>();
  const keepTop = Math.min(KEPT_TOKENS, vocabularySize);
  const baseOf = (sequence: number) => {
    const base =
      bases.get(sequence) ??
      lanes.run(async (session) => (await session.score(sequences[sequence]!, { first, keepTop })).top!);
    bases.set(sequence, base);
    return base;
  };
  return async (changes, sequence) => {
    const baseTop = await baseOf(sequence);
    const score = (session: Session) => session.score(sequences[sequence]!, { first, ...changes, baseTop });
    return (await lanes.run(score)).kl;
  };
}

/**
 * KL(original ‖ model without layers) at the scored tokens, nats.
 * @param kept what earlier runs measured
 */
export function divergences(
  lanes: Lanes,
  windows: Windows,
  vocabularySize: number,
  kept?: KeptValues,
): LossSource {
  const divergence = divergenceSource(lanes, windows, vocabularySize);
  return lossSource("kl", piecesOf(windows), lanes.count, kept, (skip, sequence) =>
    divergence({ skip }, sequence),
  );
}

/**
 * Negative log-likelihoods of the scored tokens, nats.
 * @param kept what earlier runs measured
 */
export function negativeLogLikelihoods(lanes: Lanes, windows: Windows, kept?: KeptValues): LossSource {
  const { sequences, first } = windows;
  return lossSource("perplexity", piecesOf(windows), lanes.count, kept, async (skip, sequence) => {
    const { logProb } = await lanes.run((session) => session.score(sequences[sequence]!, { first, skip }));
    return logProb.map((value) => -value);
  });
}

/** What losses are measured on, a sequence of a `LossSource`. */
export interface Piece {
  /** Tells it from any other, and what is scored of it. */
  readonly name: string;
  /** Tokens that are run for it. */
  readonly tokens: number;
  /** Losses that it gives. */
  readonly losses: number;
}

function piecesOf({ sequences, first }: Windows): Piece[] {
  return sequences.map((tokens) => ({
    name: `from ${first} of ${createHash("sha256").update(tokens).digest("hex")}`,
    tokens: tokens.length,
    losses: tokens.length - first,
  }));
}

/**
 * What was measured once is not measured again: 8 bytes a loss.
 * @param kept what earlier runs measured
 */
export function lossSource(
  objective: LossSource["objective"],
  pieces: readonly Piece[],
  atOnce: number,
  kept: KeptValues = valuesInMemory(),
  run: LossSource["losses"],
): LossSource {
  const running = new Map<string, Promise<Float64Array>>();
  const nameOf = (removed: readonly number[], sequence: number) =>
    `${objective} without ${removed} ${pieces[sequence]!.name}`;
  const measure = async (removed: readonly number[], sequence: number): Promise<Float64Array> => {
    const name = nameOf(removed, sequence);
    const earlier = lossesIn(kept.get(name), pieces[sequence]!.losses);
    if (earlier) return earlier;
    const losses = await run(removed, sequence);
    // JSON has no other numbers than finite ones.
    if (losses.every(Number.isFinite)) await kept.add(name, [...losses]);
    return losses;
  };
  return {
    objective,
    sequences: pieces.length,
    tokens: (sequence) => pieces[sequence]!.tokens,
    isKnown: (removed, sequence) => kept.get(nameOf(removed, sequence)) !== undefined,
    atOnce,
    async losses(removed, sequence) {
      const key = `${sequence}:${removed}`;
      const losses = running.get(key) ?? measure(removed, sequence);
      running.set(key, losses);
      try {
        return await losses;
      } finally {
        running.delete(key);
      }
    },
  };
}

/** Losses as they were kept, or undefined for what is no such list. */
function lossesIn(value: unknown, length: number): Float64Array | undefined {
  return Array.isArray(value) && value.length === length && value.every(Number.isFinite)
    ? Float64Array.from(value)
    : undefined;
}
