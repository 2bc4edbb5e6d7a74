import type { Session } from "../model/model.ts";

/** exp of the mean negative log-likelihood of tokens 2…n of each sequence. */
export interface Perplexity {
  readonly perplexity: number;
  /** Number of tokens scored. */
  readonly tokens: number;
}

export interface PerplexityOptions {
  /** Blocks made the identity. */
  readonly skip?: readonly number[] | undefined;
  /** Called with the number of tokens done so far. */
  readonly onProgress?: ((tokens: number) => void) | undefined;
}

/**
 * Perplexity of the model over sequences of tokens, each scored on its own from its second token on.
 * @throws RuntimeError; AbortedError within one micro-batch of the model's signal
 */
export async function perplexity(
  session: Session,
  sequences: readonly Int32Array[],
  { skip = [], onProgress }: PerplexityOptions = {},
): Promise<Perplexity> {
  let negativeLogLikelihood = 0;
  let scored = 0;
  let done = 0;
  for (const tokens of sequences) {
    const { logProb } = await session.score(tokens, { skip });
    for (const value of logProb) negativeLogLikelihood -= value;
    scored += logProb.length;
    done += tokens.length;
    onProgress?.(done);
  }
  return { perplexity: Math.exp(negativeLogLikelihood / scored), tokens: scored };
}
