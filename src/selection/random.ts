import { candidates } from "./constraints.ts";
import { takeInOrder } from "./proposals.ts";
import { createRandom, shuffled } from "./rng.ts";
import type { SelectionMethod } from "./types.ts";

/** Layers drawn without replacement; the baseline that every method must beat. */
export const random: SelectionMethod = {
  name: "random",
  summary: "layers drawn at random with the seed; a baseline",
  source: "baseline",
  select(input, budget) {
    const text = `drawn at random with seed ${input.seed}`;
    const order = shuffled(candidates(input.similarity.length), createRandom(input.seed)).map((layer) => ({
      layer,
      reason: "random",
      score: null,
      text,
    }));
    return takeInOrder(input, budget, order);
  },
};
