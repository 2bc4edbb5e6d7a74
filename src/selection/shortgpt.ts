import { blockInfluence } from "../analysis/redundancy.ts";
import { candidates } from "./constraints.ts";
import { takeInOrder } from "./proposals.ts";
import type { SelectionMethod } from "./types.ts";

/** ShortGPT (arXiv 2403.03853): the layers of the lowest block influence, 1 − S[i][i+1]; of equals the lower index. */
export const shortgpt: SelectionMethod = {
  name: "shortgpt",
  summary: "the layers that change their input least, each on its own",
  source: "ShortGPT, arXiv 2403.03853",
  select(input, budget) {
    const order = candidates(input.similarity.length)
      .map((layer) => ({
        layer,
        influence: blockInfluence(input.similarity, layer) ?? Number.POSITIVE_INFINITY,
      }))
      .sort((a, b) => a.influence - b.influence)
      .map(({ layer, influence }) => ({
        layer,
        reason: "block-influence",
        score: influence,
        text: `one of the layers that change their input least: block influence ${influence.toFixed(4)}`,
      }));
    return takeInOrder(input, budget, order);
  },
};
