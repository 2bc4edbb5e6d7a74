import type { Compensation } from "../documents/compensation.ts";
import type { Measurements } from "../documents/measurements.ts";
import type { Plan } from "../documents/plan.ts";
import { planOf } from "../selection/plan.ts";
import { helps, type JudgedCompensation } from "./compensate.ts";

/** A set of layers that factors were found for. */
export interface Candidate {
  /** Ascending. */
  readonly removed: readonly number[];
  readonly compensation: JudgedCompensation;
}

/** The sets of the lowest measured loss of a Plan's size, the best first; at least the Plan's own. */
export function bestSets(
  { budget, removedLayers, measurements }: Plan,
  count: number,
): (readonly number[])[] {
  const others = (measurements?.sets ?? [])
    .filter((set) => set.complete && set.removedLayers.length === budget)
    .map((set) => set.removedLayers)
    .filter((layers) => layers.join() !== removedLayers.join());
  return [removedLayers, ...others].slice(0, count);
}

/**
 * The Plan of the lowest held-back loss: that of a candidate as it is, or, where its factors help, with them. What all
 * of them scored is noted in the Plan's measurements.
 * @param candidates at least one; sets of the Plan's measurements
 */
export function keepBest(plan: Plan, candidates: readonly Candidate[]): Plan {
  const scored = candidates.map(({ removed, compensation }) => {
    const kept = helps(compensation);
    const { without, with: scaled } = compensation.heldBack;
    return { removed, kept, loss: kept ? scaled : without, compensation: keep(compensation, kept) };
  });
  const best = scored.reduce((least, one) => (one.loss < least.loss ? one : least));
  return {
    ...(best.removed.join() === plan.removedLayers.join() ? plan : replan(plan, best)),
    ...(plan.measurements && { measurements: note(plan.measurements, candidates) }),
    compensation: best.compensation,
  };
}

/** What a Plan says of factors: all, or only what they would have given back. */
export function keep(compensation: JudgedCompensation, kept: boolean): Compensation {
  return kept ? compensation : { ...compensation, factors: [] };
}

interface Winner {
  readonly removed: readonly number[];
  readonly kept: boolean;
  readonly loss: number;
}

/** The Plan with other layers. */
function replan(plan: Plan, { removed, kept, loss }: Winner): Plan {
  const by = plan.measurements?.sets.find((set) => set.removedLayers.join() === removed.join())?.proposedBy;
  const text =
    `in the best set ${kept ? "with factors" : "without factors"}, by ${by?.join(", ")}: ` +
    `${loss.toFixed(4)} nats a token (perplexity ${Math.exp(loss).toFixed(2)})`;
  const removals = removed.map((layer) => ({ layer, reason: "measured-set", score: loss, text }));
  return { ...plan, ...planOf(plan.model, plan.method, { removals, passedOver: plan.passedOver }) };
}

function note(measurements: Measurements, candidates: readonly Candidate[]): Measurements {
  const byLayers = new Map(candidates.map(({ removed, compensation }) => [removed.join(), compensation]));
  return {
    ...measurements,
    sets: measurements.sets.map((set) => {
      const tried = byLayers.get(set.removedLayers.join());
      if (!tried) return set;
      const { with: loss, standardError } = tried.heldBack;
      return {
        ...set,
        compensated: { loss, perplexity: Math.exp(loss), standardError, kept: helps(tried) },
      };
    }),
  };
}
