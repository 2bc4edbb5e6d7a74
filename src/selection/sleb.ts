import { blockInfluence } from "../analysis/redundancy.ts";
import { candidates, ruleAgainst } from "./constraints.ts";
import { requireLegalSize } from "./proposals.ts";
import { bestOf, meanLoss, type Trial } from "./trials.ts";
import type { MeasuredMethod, PassedOver, Removal } from "./types.ts";

/**
 * SLEB (arXiv 2402.09025): one layer after another, each time the one whose removal hurts the measured loss least.
 * Unlike there, a candidate is not measured to the end once another is clearly better.
 */
export const sleb: MeasuredMethod = {
  measures: true,
  name: "sleb",
  summary: "one layer after another, each time the one whose removal measurably hurts least",
  source: "SLEB, arXiv 2402.09025",
  async select(input, budget, trials) {
    const { constraints, similarity } = input;
    const count = similarity.length;
    requireLegalSize(input, budget);
    const removals: Removal[] = [];
    const passedOver = new Map<number, PassedOver>();
    // A good guess comes first, so that the others can be given up early: first by S, then by the step before.
    let order = candidates(count).sort(
      (a, b) => blockInfluence(similarity, a)! - blockInfluence(similarity, b)!,
    );
    while (removals.length < budget) {
      const removed = removals.map(({ layer }) => layer);
      const tried: { layer: number; trial: Trial }[] = [];
      let best: Trial | undefined;
      for (const layer of order) {
        const rule = ruleAgainst(constraints, count, new Set([...removed, layer]), budget);
        if (rule !== null) {
          passedOver.set(layer, { layer, rule });
          continue;
        }
        const trial = await trials.measure(
          [...removed, layer],
          `sleb, step ${removals.length + 1}`,
          best && { rival: best },
        );
        tried.push({ layer, trial });
        best = bestOf(tried.map((one) => one.trial));
      }
      const { layer, trial } = tried.find((one) => one.trial === best)!;
      const loss = meanLoss(trial);
      removals.push({
        layer,
        reason: "measured-loss",
        score: loss,
        text: `without it and those before it the loss is lowest: ${loss.toFixed(4)} nats a token (perplexity ${Math.exp(loss).toFixed(2)})`,
      });
      order = tried
        .filter((one) => one.layer !== layer)
        .sort((a, b) => meanLoss(a.trial) - meanLoss(b.trial))
        .map((one) => one.layer);
    }
    return { removals, passedOver: [...passedOver.values()] };
  },
};
