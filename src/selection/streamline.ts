import { runFrom, runsByAlikeness, takeRun } from "./runs.ts";
import type { SelectionMethod } from "./types.ts";

/**
 * LLM-Streamline (arXiv 2403.19135): the run of n layers whose input and output are most alike, S[i][i+n] for i ≥ 1.
 * Only the choice of the layers; the paper also trains a small replacement for them.
 *
 * As in the LoRP paper's implementation, the run starts with the first layer if no other has a positive similarity.
 */
export const streamline: SelectionMethod = {
  name: "streamline",
  summary: "the contiguous run of layers whose input and output are most alike",
  source: "LLM-Streamline, arXiv 2403.19135",
  select(input, budget) {
    const { similarity } = input;
    const preference = (length: number) => {
      const runs = runsByAlikeness(similarity, length);
      return (runs[0]?.similarity ?? 0) > 0 ? runs : [runFrom(similarity, 0, length), ...runs];
    };
    return takeRun(input, budget, preference, (cosine) => cosine, "cosine similarity");
  },
};
