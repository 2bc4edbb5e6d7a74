import type { MeasuredSet, Measurements } from "../documents/measurements.ts";
import type { Plan } from "../documents/plan.ts";
import { byLoss, isMeasurable, lossDifference, meanLoss, type Trial, type Trials } from "./trials.ts";

/**
 * What was measured, for a Plan: sets of its size first, then those of the steps that led to it; the best first.
 * @param chosen ascending; a set that was measured completely
 */
export function describeTrials(
  trials: Trials,
  chosen: readonly number[],
): Pick<Measurements, "objective" | "original" | "sets"> {
  const find = (removed: readonly number[]) =>
    trials.all.find((trial) => trial.complete && trial.removed.join() === removed.join());
  const original = find([]);
  const winner = find(chosen)!;
  const lossOf = (trial: Trial) => {
    const loss = meanLoss(trial);
    return trials.objective === "perplexity" ? { loss, perplexity: Math.exp(loss) } : { loss };
  };
  return {
    objective: trials.objective,
    original: original ? lossOf(original) : null,
    sets: trials.all
      // A document holds no other numbers than finite ones.
      .filter((trial) => trial.removed.length > 0 && isMeasurable(trial))
      .sort(
        (a, b) =>
          b.removed.length - a.removed.length || Number(b.complete) - Number(a.complete) || byLoss(a, b),
      )
      .map((trial) => ({
        removedLayers: trial.removed,
        proposedBy: trial.proposedBy,
        complete: trial.complete,
        sequences: trial.losses.length,
        ...lossOf(trial),
        difference: lossDifference(trial, winner),
      })),
  };
}

/** What was measured of a set of layers, where a Plan tells it. @param removed ascending */
export function measuredSet(
  { measurements }: Pick<Plan, "measurements">,
  removed: readonly number[],
): MeasuredSet | undefined {
  return measurements?.sets.find(({ removedLayers }) => removedLayers.join() === removed.join());
}
