import { completeAnalysis } from "../../analysis/complete.ts";
import { CalibrationError } from "../../calibration/errors.ts";
import type { Analysis } from "../../documents/analysis.ts";
import type { Measurements } from "../../documents/measurements.ts";
import type { Plan } from "../../documents/plan.ts";
import { checkBudget } from "../../selection/budget.ts";
import { describeTrials } from "../../selection/measurements.ts";
import { findAnyMethod, isMeasured } from "../../selection/methods.ts";
import { makePlan, planOf } from "../../selection/plan.ts";
import { createTrials, type LossSource, type Trials } from "../../selection/trials.ts";
import { UNCONSTRAINED } from "../../selection/types.ts";
import type { OpenedModel } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";

export interface SearchOptions {
  /** Sets of layers that `auto` measures, those given up early included; by default what `sleb` takes and 48 more. */
  readonly evaluations?: number | undefined;
  /** Seconds after which `auto` looks no further; what it finds then depends on the machine. */
  readonly searchTime?: number | undefined;
}

/** Clusterings that `auto` asks LoRP about. */
const CLUSTER_COUNTS = [2, 3, 4, 5, 6];

/** What proposes the removal of nothing. */
export const ORIGINAL = "the model as it is";

/**
 * Makes the Plan of a method for a number of layers, measuring where the method does.
 * @throws UsageError, SelectionError, CalibrationError, RuntimeError, AbortedError
 */
export type Planner = (method: string, budget: number) => Promise<Plan>;

/** @param losses of the open model on its held-back sequences */
export function createPlanner(
  opened: OpenedModel,
  analysis: Analysis,
  losses: LossSource,
  { evaluations, searchTime, onProgress }: SearchOptions & ModelRunOptions,
): Planner {
  const { similarity, clusters, k, rls, model } = analysis;
  const seed = analysis.settings.seed ?? 0;
  const input = {
    similarity,
    clusters,
    k,
    constraints: model.constraints ?? UNCONSTRAINED,
    seed,
    clusterings: CLUSTER_COUNTS.filter((count) => count <= similarity.length).map((count) =>
      completeAnalysis(analysis, { clusters: count }),
    ),
    limits: { evaluations, seconds: searchTime },
  };
  return async (name, budget) => {
    const method = findAnyMethod(name);
    if (!isMeasured(method)) return makePlan(analysis, { method: name, budget });
    checkBudget(budget, similarity.length);
    requireHeldBack(opened, `the method ${name}`);
    const most = method.mostSets(input, budget);
    const trials = createTrials(losses, (done) =>
      onProgress?.({ stage: "search", done, total: Math.max(done, most), unit: "sets" }),
    );
    await trials.measure([], ORIGINAL);
    const plan = planOf(model, name, await method.select(input, budget, trials));
    return { ...plan, rls, k, seed, measurements: measurementsOf(opened, trials, plan) };
  };
}

/** @throws CalibrationError `CALIBRATION_TOO_SHORT` when the text has no sequence left after the analysis */
export function requireHeldBack({ split }: OpenedModel, what: string): void {
  if (split.heldBack.length > 0) return;
  throw new CalibrationError(
    "CALIBRATION_TOO_SHORT",
    `The calibration text has no sequences left after the analysis, which ${what} needs; give a longer text or lower --sequences or --sequence-length.`,
  );
}

export function measurementsOf(
  { calibration, split, sequenceLength }: OpenedModel,
  trials: Trials,
  { removedLayers }: Plan,
): Measurements {
  return {
    text: { name: calibration.name, sha256: calibration.sha256 },
    sequences: split.heldBack.length,
    sequenceLength,
    ...describeTrials(trials, removedLayers),
  };
}
