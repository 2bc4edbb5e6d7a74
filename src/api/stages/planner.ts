import { completeAnalysis } from "../../analysis/complete.ts";
import type { Analysis } from "../../documents/analysis.ts";
import type { Measurements } from "../../documents/measurements.ts";
import type { Plan } from "../../documents/plan.ts";
import type { Objective } from "../../objectives.ts";
import { checkBudget } from "../../selection/budget.ts";
import { describeTrials } from "../../selection/measurements.ts";
import { findAnyMethod, isMeasured } from "../../selection/methods.ts";
import { makePlan, planOf } from "../../selection/plan.ts";
import { createTrials, type LossSource, type Trials } from "../../selection/trials.ts";
import { UNCONSTRAINED } from "../../selection/types.ts";
import { type OpenedModel, textOf } from "./open.ts";
import type { OptionNames } from "./option-names.ts";
import type { ModelRunOptions } from "./options.ts";

export interface SearchOptions {
  /** What a choice by measurement makes as small as it can: `kl` by default. */
  readonly objective?: Objective | undefined;
  /** Sets of layers that `auto` measures at most, those given up early included. */
  readonly evaluations?: number | undefined;
  /**
   * Seconds after which `auto` looks no further; what it finds then depends on the machine. By default it stops when
   * it has run three times the tokens of the analysis.
   */
  readonly searchTime?: number | undefined;
}

export const SEARCH_OPTIONS: OptionNames<SearchOptions> = {
  objective: true,
  evaluations: true,
  searchTime: true,
};

/** Clusterings that `auto` asks LoRP about. */
const CLUSTER_COUNTS = [2, 3, 4, 5, 6];

/** How many times the tokens of the analysis `auto` runs by default. */
const WORK_SHARE = 3;

/** Tokens that an analysis counts for at least: a short one leaves too little to choose by. */
const LEAST_WORK = 12_288;

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
    limits: {
      evaluations,
      seconds: searchTime,
      work: WORK_SHARE * Math.max(LEAST_WORK, analysis.settings.tokens ?? 0),
    },
  };
  let most = 0;
  // One for all numbers of layers: what was measured for one is there for the next.
  const trials = createTrials(losses, similarity.length, ({ all: { length: done } }) =>
    onProgress?.({ stage: "search", done, total: Math.max(done, most), unit: "sets" }),
  );
  return async (name, budget) => {
    const method = findAnyMethod(name);
    if (!isMeasured(method)) return makePlan(analysis, { method: name, budget });
    checkBudget(budget, similarity.length);
    most = trials.all.length + method.mostSets(input, budget);
    if (losses.objective === "perplexity") await trials.measure([], ORIGINAL);
    const plan = planOf(model, name, await method.select(input, budget, trials));
    return { ...plan, rls, k, seed, measurements: measurementsOf(opened, losses, trials, plan) };
  };
}

export function measurementsOf(
  { calibration }: OpenedModel,
  { sequences, tokens }: LossSource,
  trials: Trials,
  { removedLayers }: Plan,
): Measurements {
  return {
    text: textOf(calibration, "choice"),
    sequences,
    sequenceLength: tokens(0),
    ...describeTrials(trials, removedLayers),
  };
}
