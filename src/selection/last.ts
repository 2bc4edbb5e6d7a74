import { candidates } from "./constraints.ts";
import { takeInOrder } from "./proposals.ts";
import type { SelectionMethod } from "./types.ts";

/** The deepest layers before the last: the simple baseline of Gromov et al. (arXiv 2403.17887, section 4.4). */
export const last: SelectionMethod = {
  name: "last",
  summary: "the deepest layers before the last; a baseline",
  source: "the simple strategy of Gromov et al., arXiv 2403.17887",
  select(input, budget) {
    const order = candidates(input.similarity.length)
      .reverse()
      .map((layer) => ({
        layer,
        reason: "depth",
        score: layer,
        text: "one of the deepest layers before the last",
      }));
    return takeInOrder(input, budget, order);
  },
};
