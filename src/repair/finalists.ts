import type { Plan } from "../documents/plan.ts";
import { runsOf } from "../runs.ts";
import { measuredSet } from "../selection/measurements.ts";
import { planOf } from "../selection/plan.ts";

/** Sets of the lowest loss that are tried with their repair. */
const BEST = 3;

/** Sets that are tried at most. */
export const MOST_FINALISTS = BEST + 1;

/**
 * The sets of layers of a Plan's size that may be the best once they are repaired: its own first, others of the lowest
 * divergence without a repair, and of those whose layers stand together, which one map makes up for, the best. Sets that
 * a search gave up are among them: it did so by what they are without a repair, on the sequences that it compared.
 * Where the choice was not made by divergence, by which repairs are judged, the Plan's own alone.
 */
export function finalists({ budget, removedLayers, measurements }: Plan): (readonly number[])[] {
  if (measurements?.objective !== "kl") return [removedLayers];
  const others = measurements.sets
    .filter((set) => set.removedLayers.length === budget)
    .sort((a, b) => a.difference.mean - b.difference.mean)
    .map((set) => set.removedLayers)
    .filter((layers) => layers.join() !== removedLayers.join());
  const best = [removedLayers, ...others].slice(0, BEST);
  const run = [removedLayers, ...others].find((layers) => runsOf(layers).length === 1);
  return run && !best.includes(run) ? [...best, run] : best;
}

/** The Plan with another of the sets that were measured for it. @param divergence of that set once repaired */
export function withSet(plan: Plan, removed: readonly number[], divergence: number): Plan {
  const by = measuredSet(plan, removed)?.proposedBy;
  const text = `in the set that is best once repaired, by ${by?.join(", ")}: KL divergence ${divergence.toFixed(4)} nats a token`;
  const removals = removed.map((layer) => ({ layer, reason: "repaired-set", score: divergence, text }));
  return { ...plan, ...planOf(plan.model, plan.method, { removals, passedOver: plan.passedOver }) };
}
