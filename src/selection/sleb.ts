import { candidates, ruleAgainst } from "./constraints.ts";
import { requireLegalSize } from "./proposals.ts";
import { describeLoss, meanLoss, requireBest, type Trials } from "./trials.ts";
import type { MeasuredInput, MeasuredMethod, PassedOver, Removal } from "./types.ts";

/**
 * SLEB (arXiv 2402.09025): one layer after another, each time the one whose removal hurts the measured loss least.
 * Unlike there, the candidates of a step race each other: one that is certainly worse than the best is not measured to
 * the end.
 */
export const sleb: MeasuredMethod = {
  measures: true,
  name: "sleb",
  summary: "one layer after another, each time the one whose removal measurably hurts least",
  source: "SLEB, arXiv 2402.09025",
  mostTokens({ similarity }, budget, complete) {
    const first = candidates(similarity.length).length;
    const sets = (budget * (2 * first - budget + 1)) / 2;
    // What comes before the first removed layer, half of the depth in the mean, is run once for many.
    return (sets * complete) / 2;
  },
  async select(input, budget, trials) {
    requireLegalSize(input, budget);
    const removals: Removal[] = [];
    const passedOver = new Map<number, PassedOver>();
    while (removals.length < budget) {
      const step = await nextRemoval(input, budget, removals, trials);
      removals.push(step.removal);
      for (const passed of step.passedOver) passedOver.set(passed.layer, passed);
    }
    return { removals, passedOver: [...passedOver.values()] };
  },
};

/** One step of SLEB. @param before the removals of the steps before */
async function nextRemoval(
  { constraints, similarity }: MeasuredInput,
  budget: number,
  before: readonly Removal[],
  trials: Trials,
): Promise<{ readonly removal: Removal; readonly passedOver: readonly PassedOver[] }> {
  const removed = before.map(({ layer }) => layer);
  const judged = candidates(similarity.length)
    .filter((layer) => !removed.includes(layer))
    .map((layer) => ({
      layer,
      rule: ruleAgainst(constraints, similarity.length, new Set([...removed, layer]), budget),
    }));
  const allowed = judged.filter(({ rule }) => rule === null).map(({ layer }) => layer);
  const by = `sleb, step ${before.length + 1}`;
  const raced = await trials.race(allowed.map((layer) => ({ removed: [...removed, layer], by })));
  const best = requireBest(raced);
  const loss = meanLoss(best);
  return {
    removal: {
      layer: allowed[raced.indexOf(best)]!,
      reason: "measured-loss",
      score: loss,
      text: `without it and those before it the loss is lowest: ${describeLoss(trials, best)}`,
    },
    passedOver: judged.flatMap(({ layer, rule }) => (rule === null ? [] : [{ layer, rule }])),
  };
}
