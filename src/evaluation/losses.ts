import type { Lanes } from "../model/lanes.ts";
import type { Session } from "../model/session.ts";
import type { TopDistributions } from "../native/addon.ts";
import type { LossSource } from "../selection/trials.ts";
import type { Windows } from "./windows.ts";

/**
 * How many of the most probable tokens are kept of each of the original's distributions: 8 bytes each. What KL loses by
 * taking the rest as one token is below a twentieth of it on a small model with flat distributions (test/evaluation/losses.test.ts).
 */
const KEPT_TOKENS = 1024;

/** KL(original ‖ model without layers) at the scored tokens, nats; the original is run once over each sequence. */
export function divergences(lanes: Lanes, { sequences, first }: Windows, vocabularySize: number): LossSource {
  const bases = new Map<number, Promise<TopDistributions>>();
  const keepTop = Math.min(KEPT_TOKENS, vocabularySize);
  const baseOf = (sequence: number) => {
    const base =
      bases.get(sequence) ??
      lanes.run(async (session) => (await session.score(sequences[sequence]!, { first, keepTop })).top!);
    bases.set(sequence, base);
    return base;
  };
  return source("kl", lanes, sequences, async (removed, sequence) => {
    const baseTop = await baseOf(sequence);
    return (session) =>
      session.score(sequences[sequence]!, { first, skip: removed, baseTop }).then(({ kl }) => kl);
  });
}

/** Negative log-likelihoods of the scored tokens, nats. */
export function negativeLogLikelihoods(lanes: Lanes, { sequences, first }: Windows): LossSource {
  return source("perplexity", lanes, sequences, async (removed, sequence) => async (session) => {
    const { logProb } = await session.score(sequences[sequence]!, { first, skip: removed });
    return logProb.map((value) => -value);
  });
}

type Work = (session: Session) => Promise<Float64Array>;

/** What was measured once is kept: 8 bytes a token. */
function source(
  objective: LossSource["objective"],
  lanes: Lanes,
  sequences: readonly Int32Array[],
  prepare: (removed: readonly number[], sequence: number) => Promise<Work>,
): LossSource {
  const measured = new Map<string, Promise<Float64Array>>();
  return {
    objective,
    sequences: sequences.length,
    tokens: (sequence) => sequences[sequence]!.length,
    atOnce: lanes.count,
    losses(removed, sequence) {
      const key = `${sequence}:${removed}`;
      const losses = measured.get(key) ?? prepare(removed, sequence).then((work) => lanes.run(work));
      measured.set(key, losses);
      return losses;
    },
  };
}
