import type { ScoreOptions, Session } from "../model/model.ts";
import type { LogitsPlace, TokenScores } from "../native.ts";
import type { Windows } from "./windows.ts";

export interface ScoreWindowsOptions extends Omit<ScoreOptions, "first" | "file"> {
  /** Without a base: where to keep the logits of all windows, or where the base's were kept. */
  readonly logits?: (LogitsPlace & { readonly rowBytes: number }) | undefined;
  /** Called with the number of tokens done so far. */
  readonly onProgress?: ((tokens: number) => void) | undefined;
}

/**
 * Scores every window on its own. What is kept is a few numbers a token; distributions never outlive a micro-batch.
 * @throws RuntimeError; AbortedError within one micro-batch of the model's signal
 */
export async function scoreWindows(
  session: Session,
  { sequences, first }: Windows,
  { onProgress, logits, ...options }: ScoreWindowsOptions = {},
): Promise<TokenScores> {
  const parts: TokenScores[] = [];
  let done = 0;
  let offset = logits?.offset ?? 0;
  for (const tokens of sequences) {
    parts.push(await session.score(tokens, { ...options, first, file: logits && { ...logits, offset } }));
    offset += (tokens.length - first) * (logits?.rowBytes ?? 0);
    done += tokens.length;
    onProgress?.(done);
  }
  return {
    logProb: concatenate(parts.map(({ logProb }) => logProb)),
    baseLogProb: concatenate(parts.map(({ baseLogProb }) => baseLogProb)),
    kl: concatenate(parts.map(({ kl }) => kl)),
    sameTop: Uint8Array.from(concatenate(parts.map(({ sameTop }) => sameTop))),
  };
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
