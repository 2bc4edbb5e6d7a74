import { completeAnalysis } from "../../analysis/complete.ts";
import type { Analysis } from "../../documents/analysis.ts";
import type { Measurements } from "../../documents/measurements.ts";
import type { Plan } from "../../documents/plan.ts";
import type { Objective } from "../../objectives.ts";
import { checkBudget } from "../../selection/budget.ts";
import { SelectionError } from "../../selection/errors.ts";
import { describeTrials } from "../../selection/measurements.ts";
import { findAnyMethod, isMeasured } from "../../selection/methods.ts";
import { makePlan, planOf } from "../../selection/plan.ts";
import { createTrials, type LossSource, type Trials } from "../../selection/trials.ts";
import { UNCONSTRAINED } from "../../selection/types.ts";
import { sum } from "../../statistics.ts";
import type { Work } from "./forecast.ts";
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

export interface PlannerOptions extends SearchOptions, ModelRunOptions {
  /** How many numbers of layers share the usual work; each has its own by default. */
  readonly shared?: number | undefined;
}

/** Tokens that `auto` runs for one number of layers at most, by default. @param analysed tokens of the analysis */
function usualWork(analysed: number): number {
  return WORK_SHARE * Math.max(LEAST_WORK, analysed);
}

/**
 * Tokens, about, that it takes to analyse an open model and to choose layers of it.
 * @param choices how many numbers of layers are chosen for by a method that measures
 */
export function choiceWork({ split, sequenceLength }: OpenedModel, choices: number): readonly Work[] {
  // Most analyses have settled by then.
  const analysis = Math.min(split.analysis.length * sequenceLength, LEAST_WORK);
  return [
    ["to analyse", analysis],
    ["to choose by", choices * usualWork(analysis)],
  ];
}

/** @param losses of the open model on its held-back sequences */
export function createPlanner(
  opened: OpenedModel,
  analysis: Analysis,
  losses: LossSource,
  { evaluations, searchTime, shared = 1, onProgress, onNotice }: PlannerOptions,
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
      work: usualWork(analysis.settings.tokens ?? 0) / shared,
    },
  };
  const complete = sum(Array.from({ length: losses.sequences }, (_, sequence) => losses.tokens(sequence)));
  let began = { time: 0, work: 0, known: 0 };
  let most = 0;
  const report = (trials: Trials, finished = false) => {
    const elapsed = (performance.now() - began.time) / 1000;
    const work = trials.work - began.work;
    const done = searchTime === undefined ? work : elapsed;
    const total = finished ? done : Math.max(done, searchTime ?? most);
    const unit = searchTime === undefined ? "tokens" : "seconds";
    const known = searchTime === undefined ? trials.known - began.known : 0;
    onProgress?.({ stage: "search", done, total, unit, known, note: `${trials.all.length} sets` });
  };
  // One for all numbers of layers: what was measured for one is there for the next.
  const trials = createTrials(losses, similarity.length, report);
  return async (name, budget) => {
    const method = findAnyMethod(name);
    if (!isMeasured(method)) return makePlan(analysis, { method: name, budget });
    checkBudget(budget, similarity.length);
    began = { time: performance.now(), work: trials.work, known: trials.known };
    most = method.mostTokens(input, budget, complete);
    if (losses.objective !== "kl") await trials.measure([], ORIGINAL);
    const selection = await method.select(input, budget, trials);
    const plan = planOf(model, name, selection);
    report(trials, true);
    if (selection.isCut) {
      onNotice?.(
        `The search for ${budget} layers ended at its limit, after ${trials.all.length} sets; a longer \`searchTime\`, or more \`evaluations\`, lets it go on.`,
      );
    }
    return { ...plan, rls, k, seed, measurements: measurementsOf(opened, losses, trials, plan) };
  };
}

/** The method's Plan, or undefined where it finds none of that size. */
export async function planIfAny(plan: Planner, method: string, budget: number): Promise<Plan | undefined> {
  try {
    return await plan(method, budget);
  } catch (error) {
    if (error instanceof SelectionError) return undefined;
    throw error;
  }
}

export function measurementsOf(
  { calibration, task }: OpenedModel,
  { objective, sequences, tokens }: LossSource,
  trials: Trials,
  { removedLayers }: Plan,
): Measurements {
  return {
    text: textOf(objective === "task" ? task! : calibration, "choice"),
    sequences,
    sequenceLength: tokens(0),
    ...describeTrials(trials, removedLayers),
  };
}
