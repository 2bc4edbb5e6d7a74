import type { Session } from "../model/model.ts";
import type { LossSource } from "../selection/trials.ts";

/**
 * Losses of an open model on its held-back sequences, tokens 2…n of each; what was measured once is kept (8 bytes a
 * token).
 * @param onProgress called after each sequence that was run, with its number of tokens
 */
export function sessionLosses(
  session: Session,
  sequences: readonly Int32Array[],
  onProgress?: (tokens: number) => void,
): LossSource {
  const measured = new Map<string, Float64Array>();
  return {
    sequences: sequences.length,
    async losses(removed, sequence) {
      const key = `${sequence}:${removed}`;
      const known = measured.get(key);
      if (known) return known;
      const tokens = sequences[sequence]!;
      const { logProb } = await session.score(tokens, { skip: removed });
      const losses = logProb.map((value) => -value);
      measured.set(key, losses);
      onProgress?.(tokens.length);
      return losses;
    },
  };
}
