import type { Lanes } from "../model/lanes.ts";
import type { LossSource } from "../selection/trials.ts";

/**
 * Losses of an open model on its held-back sequences, tokens 2…n of each; what was measured once is kept (8 bytes a
 * token).
 */
export function modelLosses(lanes: Lanes, sequences: readonly Int32Array[]): LossSource {
  const measured = new Map<string, Promise<Float64Array>>();
  return {
    sequences: sequences.length,
    atOnce: lanes.count,
    losses(removed, sequence) {
      const key = `${sequence}:${removed}`;
      const losses =
        measured.get(key) ??
        lanes.run(async (session) => {
          const { logProb } = await session.score(sequences[sequence]!, { skip: removed });
          return logProb.map((value) => -value);
        });
      measured.set(key, losses);
      return losses;
    },
  };
}
