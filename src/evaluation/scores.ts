import type { Lanes } from "../model/lanes.ts";
import type { BlockChanges } from "../model/session.ts";
import type { LogitsPlace, TokenScores } from "../native/addon.ts";
import { EvaluationError } from "./errors.ts";
import type { Windows } from "./windows.ts";

export interface ScoreWindowsOptions extends BlockChanges {
  /** Scored too, to compare with: contexts of another model, or others of the same one. */
  readonly base?: Lanes | undefined;
  /** Without a base: where to keep the logits of all windows, or where the base's were kept. */
  readonly logits?: (LogitsPlace & { readonly rowBytes: number }) | undefined;
  /** Called with the number of tokens done so far. */
  readonly onProgress?: ((tokens: number) => void) | undefined;
}

/**
 * Scores every window on its own, several side by side. What is kept is a few numbers a token; distributions never
 * outlive a micro-batch.
 * @throws RuntimeError; AbortedError within one micro-batch of the model's signal
 */
export async function scoreWindows(
  lanes: Lanes,
  { sequences, first }: Windows,
  { base, onProgress, logits, ...changes }: ScoreWindowsOptions = {},
): Promise<TokenScores> {
  let rows = 0;
  const places = sequences.map((tokens) => {
    const place = logits && { ...logits, offset: logits.offset + rows * logits.rowBytes };
    rows += tokens.length - first;
    return place;
  });
  let done = 0;
  const parts = await Promise.all(
    sequences.map(async (tokens, index) => {
      const options = { ...changes, first, file: places[index] };
      const scores = await lanes.run((session) =>
        base
          ? base.run((other) => session.score(tokens, { ...options, base: { session: other } }))
          : session.score(tokens, options),
      );
      done += tokens.length;
      onProgress?.(done);
      return scores;
    }),
  );
  const logProb = concatenate(parts.map((part) => part.logProb));
  const baseLogProb = concatenate(parts.map((part) => part.baseLogProb));
  requireNumbers(logProb, changes.skip);
  requireNumbers(baseLogProb);
  return {
    logProb,
    baseLogProb,
    kl: concatenate(parts.map(({ kl }) => kl)),
    sameTop: Uint8Array.from(concatenate(parts.map(({ sameTop }) => sameTop))),
  };
}

/** @throws EvaluationError `EVALUATION_NAN` where the model computes something else than numbers */
export function requireNumbers(values: Float64Array | readonly number[], skip: readonly number[] = []): void {
  if (!values.some(Number.isNaN)) return;
  throw new EvaluationError(
    "EVALUATION_NAN",
    skip.length > 0
      ? `Without the layers ${skip.join(", ")} the model computes no numbers (NaN), so it cannot be scored; leave out others.`
      : "The base model computes no numbers (NaN), so nothing can be compared with it; download or convert it again.",
  );
}

/** Bytes of text that the scored tokens stand for. @param tokenBytes of each token of the vocabulary */
export function scoredBytes({ sequences, first }: Windows, tokenBytes: Int32Array): number {
  let bytes = 0;
  for (const tokens of sequences) {
    for (const token of tokens.subarray(first)) bytes += tokenBytes[token] ?? 0;
  }
  return bytes;
}

function concatenate(parts: readonly ArrayLike<number>[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
