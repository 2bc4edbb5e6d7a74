import type { Session } from "../model/session.ts";

/** Tokens per second. */
export interface Speed {
  /** Of a prompt, read in micro-batches. */
  readonly prompt: number;
  /** Of text generated token by token. */
  readonly generation: number;
}

/** Tokens generated in one run, at most. */
const GENERATED = 32;

/** Tokens of the run that only warms up: it touches every weight. */
const WARM_UP = 16;

const RUNS = 3;

/** After this long no further run begins, milliseconds. */
const LONG = 10_000;

/**
 * Times models in turn, so that what else the machine does falls on all alike: a sequence's beginning is the prompt, its
 * end is what is generated. The fastest of three runs each, of fewer where they take long.
 * @param tokens at least two
 * @returns of each session
 * @throws RuntimeError, AbortedError
 */
export async function measureSpeeds(sessions: readonly Session[], tokens: Int32Array): Promise<Speed[]> {
  const generated = Math.min(GENERATED, Math.floor(tokens.length / 2));
  const prompt = tokens.length - generated;
  const short = tokens.subarray(0, WARM_UP);
  for (const session of sessions) await session.time(short, Math.ceil(short.length / 2));
  const best = sessions.map(() => ({
    prompt: Number.POSITIVE_INFINITY,
    generation: Number.POSITIVE_INFINITY,
  }));
  const start = performance.now();
  for (let run = 0; run < RUNS && (run === 0 || performance.now() - start < LONG); run++) {
    for (const [i, session] of sessions.entries()) {
      const seconds = await session.time(tokens, prompt);
      best[i] = {
        prompt: Math.min(best[i]!.prompt, seconds.prompt),
        generation: Math.min(best[i]!.generation, seconds.generation),
      };
    }
  }
  return best.map((seconds) => ({
    prompt: prompt / seconds.prompt,
    generation: generated / seconds.generation,
  }));
}
