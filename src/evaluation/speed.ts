import type { Session } from "../model/model.ts";

/** Tokens per second. */
export interface Speed {
  /** Of a prompt, read in micro-batches. */
  readonly prompt: number;
  /** Of text generated token by token. */
  readonly generation: number;
}

/** Tokens generated in one run, at most. */
const GENERATED = 32;
const RUNS = 3;

/**
 * Times a model: a sequence's beginning is its prompt, its end is what it generates. The fastest of three runs, after
 * one that only warms up.
 * @param tokens at least two
 * @throws RuntimeError, AbortedError
 */
export async function measureSpeed(session: Session, tokens: Int32Array): Promise<Speed> {
  const generated = Math.min(GENERATED, Math.floor(tokens.length / 2));
  const prompt = tokens.length - generated;
  await session.time(tokens, prompt);
  let best = { prompt: Number.POSITIVE_INFINITY, generation: Number.POSITIVE_INFINITY };
  for (let run = 0; run < RUNS; run++) {
    const seconds = await session.time(tokens, prompt);
    best = {
      prompt: Math.min(best.prompt, seconds.prompt),
      generation: Math.min(best.generation, seconds.generation),
    };
  }
  return { prompt: prompt / best.prompt, generation: generated / best.generation };
}
