import type { Analysis } from "../../documents/analysis.ts";
import type { Plan } from "../../documents/plan.ts";
import { UsageError } from "../../errors.ts";
import { measureBlocks } from "../../inspection/blocks.ts";
import { budgetFromRatio } from "../../selection/budget.ts";
import { legalSizes } from "../../selection/constraints.ts";
import { findAnyMethod, isMeasured, SELECTION_METHODS } from "../../selection/methods.ts";
import { dropPrediction } from "../../selection/plan.ts";
import { createTrials, type LossSource, meanLoss, type Trial, type Trials } from "../../selection/trials.ts";
import { UNCONSTRAINED } from "../../selection/types.ts";
import { sum } from "../../statistics.ts";
import { checkOneBudget, DEFAULT_METHOD, PLAN_OPTIONS, type PlanOptions } from "../plan.ts";
import { lossesOf } from "./objective.ts";
import { type DescribedModel, fileBytes, type OpenedModel } from "./open.ts";
import type { OptionNames } from "./option-names.ts";
import type { ModelRunOptions } from "./options.ts";
import {
  createPlanner,
  measurementsOf,
  ORIGINAL,
  type Planner,
  planIfAny,
  SEARCH_OPTIONS,
  type SearchOptions,
} from "./planner.ts";
import { requirePredictions } from "./predictions.ts";
import { activeParameters, outputBytes } from "./savings.ts";

/** The method that chooses where a model is at hand to be measured by its predictions. */
export const DEFAULT_CHOICE = "auto";

/**
 * The method that chooses.
 * @throws ArchitectureError where it would measure predictions, or a loss is to be held, and the model makes none
 */
export function methodFor(
  { architecture }: DescribedModel,
  { method, maxLoss }: Pick<ChooseOptions, "method" | "maxLoss">,
): string {
  if (maxLoss !== undefined) requirePredictions(architecture, "`maxLoss`");
  if (method !== undefined && isMeasured(findAnyMethod(method))) {
    requirePredictions(architecture, `The method ${method}`);
  }
  return method ?? (architecture.states.embeds ? DEFAULT_METHOD : DEFAULT_CHOICE);
}

/** How much to remove: exactly one of these or of those of PlanOptions. */
export interface ChooseOptions extends PlanOptions, SearchOptions {
  /** Bytes that the pruned file may have at most. */
  readonly targetSize?: number | undefined;
  /** How many times as fast the pruned model shall be, above 1; estimated by the share of the matrix products. */
  readonly speedup?: number | undefined;
  /**
   * By what share the perplexity may rise, such as 0.1, or what the KL divergence from the model as it is may be, nats a
   * token; held on the text that the choice is made on, and on the text of the report.
   */
  readonly maxLoss?: number | { readonly nats: number } | undefined;
}

export const CHOOSE_OPTIONS: OptionNames<ChooseOptions> = {
  ...PLAN_OPTIONS,
  ...SEARCH_OPTIONS,
  targetSize: true,
  speedup: true,
  maxLoss: true,
};

/** @throws UsageError unless exactly one of the ways to say how much is used, and its value can be meant */
export function checkChoice({
  remove,
  ratio,
  layers,
  targetSize,
  speedup,
  maxLoss,
  quantize,
}: ChooseOptions & { readonly quantize?: string | undefined }): void {
  checkOneBudget({ remove, ratio, layers, targetSize, speedup, maxLoss });
  if (targetSize !== undefined && quantize !== undefined) {
    throw new UsageError(
      "BUDGET_INVALID",
      "`targetSize` is about the file before `quantize` makes it smaller still: leave one of them out, or ask for a number of layers.",
    );
  }
  if (speedup !== undefined && !(speedup > 1)) throw unreachable(`A speedup of ${speedup} is none`, "1.3");
  const loss = typeof maxLoss === "object" ? maxLoss.nats : maxLoss;
  if (loss !== undefined && !(loss > 0)) throw unreachable(`A loss of ${loss} is none`, "10% or 0.1nats");
}

/**
 * Chooses how many layers go, by what the user wants of the result, and which, by a method that may measure the open
 * model.
 * @throws UsageError when nothing comes up to it; SelectionError, CalibrationError, RuntimeError, AbortedError
 */
export async function choose(
  described: DescribedModel,
  opened: OpenedModel,
  analysis: Analysis,
  options: ChooseOptions & ModelRunOptions,
): Promise<Plan> {
  const { remove, ratio, targetSize, speedup, maxLoss } = options;
  const method = methodFor(described, options);
  // A share of perplexity is kept best by what is chosen for it.
  const { objective = typeof maxLoss === "number" ? "perplexity" : "kl" } = options;
  const plan = createPlanner(opened, analysis, await lossesOf(opened, objective), options);
  const count = analysis.similarity.length;
  const search: Search = { described, opened, method, plan, budgets: budgetsOf(analysis) };
  if (targetSize !== undefined) return smallEnough(search, targetSize, options.dropMtp ?? false);
  if (speedup !== undefined) return fastEnough(search, speedup);
  if (maxLoss !== undefined) return mostWithin(search, maxLoss);
  return plan(method, remove ?? budgetFromRatio(ratio!, count));
}

interface Search {
  readonly described: DescribedModel;
  readonly opened: OpenedModel;
  readonly method: string;
  readonly plan: Planner;
  /** Numbers of layers that can go, ascending. */
  readonly budgets: readonly number[];
}

function budgetsOf({ model, similarity }: Analysis): number[] {
  const count = similarity.length;
  return legalSizes(model.constraints ?? UNCONSTRAINED, count).filter(
    (size) => size > 0 && size <= count - 2,
  );
}

async function smallEnough(search: Search, targetSize: number, dropMtp: boolean): Promise<Plan> {
  const { file, architecture } = search.described;
  const { blocks } = measureBlocks(file, architecture.name, architecture.blockCount);
  const whole = fileBytes(file);
  if (whole <= targetSize) throw unreachable(`The file takes ${whole} bytes as it is`, "fewer");
  const gains = blocks.map(({ bytes }) => bytes);
  const fingerprint = await search.described.fingerprint();
  return fewest(search, {
    gains: gains.slice(0, architecture.analysedBlocks),
    always: dropMtp ? sum(gains.slice(architecture.analysedBlocks)) : 0,
    needed: whole - targetSize,
    gain: (trunk) =>
      whole - outputBytes(search.described, dropMtp ? dropPrediction(trunk) : trunk, fingerprint),
    failure: (most) =>
      unreachable(`The file cannot get below about ${whole - most} bytes by removing layers`, "more bytes"),
  });
}

/** By the estimate that `estimateSpeedup` makes. */
function fastEnough(search: Search, speedup: number): Promise<Plan> {
  const { blocks: gains, rest } = activeParameters(search.described);
  const whole = sum(gains) + rest;
  return fewest(search, {
    gains,
    needed: whole - whole / speedup,
    gain: ({ removedLayers }) => sum(removedLayers.map((layer) => gains[layer]!)),
    failure: (most) =>
      unreachable(
        `The model cannot get faster than about ${(whole / (whole - most)).toFixed(2)} times by removing layers`,
        "less",
      ),
  });
}

interface Goal {
  /** What the removal of each layer gains, about. */
  readonly gains: readonly number[];
  /** What is gained besides, whichever go; nothing by default. */
  readonly always?: number;
  readonly needed: number;
  /** What a Plan gains, exactly. */
  gain(plan: Plan): number;
  /** @param most what can be gained at most, about */
  failure(most: number): UsageError;
}

/** Leeway for what `gains` leave out, such as a tensor's entry in the header. */
const ABOUT = 1.01;

/** The Plan of the fewest layers that gains what is needed; numbers of layers that cannot do so are not tried. */
async function fewest({ plan, method, budgets }: Search, goal: Goal): Promise<Plan> {
  const largestFirst = goal.gains.toSorted((a, b) => b - a);
  const most = (budget: number) => (goal.always ?? 0) + sum(largestFirst.slice(0, budget));
  for (const budget of budgets) {
    if (ABOUT * most(budget) < goal.needed) continue;
    const made = await planIfAny(plan, method, budget);
    if (made && goal.gain(made) >= goal.needed) return made;
  }
  throw goal.failure(most(budgets.at(-1) ?? 0));
}

/** Numbers of layers in a row that are too much, after which more are not tried. */
const PATIENCE = 2;

/**
 * The Plan of the most layers that keeps within the limit on both texts. A method that only reads the Analysis is asked
 * from the most layers down, so that its answer is the largest there is; one that measures is asked from one layer up,
 * since what it measured for few layers serves for more, until it no longer keeps within (some numbers of layers cost
 * more than the next).
 */
async function mostWithin(
  { opened, method, plan, budgets }: Search,
  maxLoss: NonNullable<ChooseOptions["maxLoss"]>,
): Promise<Plan> {
  const [objective, margin] =
    typeof maxLoss === "object"
      ? (["kl", maxLoss.nats] as const)
      : (["perplexity", Math.log1p(maxLoss)] as const);
  const judges: { readonly losses: LossSource; readonly trials: Trials; readonly original: Trial }[] = [];
  for (const part of ["choice", "report"] as const) {
    const losses = await lossesOf(opened, objective, part);
    const trials = createTrials(losses, budgets.at(-1)! + 2);
    judges.push({ losses, trials, original: await trials.measure([], ORIGINAL) });
  }
  const holds = async (made: Plan): Promise<boolean> => {
    for (const { trials, original } of judges) {
      const trial = await trials.measure(made.removedLayers, made.method, { rival: original, margin });
      if (!trial.complete || meanLoss(trial) - meanLoss(original) > margin) return false;
    }
    return true;
  };
  const measures = isMeasured(findAnyMethod(method));
  // What is best on one text may be too much on the other where another method's choice is not.
  const methods = [method, ...(measures ? SELECTION_METHODS.map(({ name }) => name) : [])];
  const within = async (budget: number): Promise<Plan | undefined> => {
    for (const by of methods) {
      const made = await planIfAny(plan, by, budget);
      if (made && (await holds(made))) return made;
    }
    return undefined;
  };
  let chosen: Plan | undefined;
  let failed = 0;
  for (const budget of measures ? budgets : budgets.toReversed()) {
    const made = await within(budget);
    failed = made ? 0 : failed + 1;
    if (made) chosen = made;
    if (measures ? failed === PATIENCE : made) break;
  }
  if (!chosen) {
    const limit = typeof maxLoss === "object" ? `${maxLoss.nats} nats` : `${(100 * maxLoss).toFixed(1)} %`;
    throw unreachable(`No layer can go for a loss of ${limit} by ${method}`, "more");
  }
  const [{ losses, trials }] = judges as [(typeof judges)[number]];
  return chosen.measurements
    ? chosen
    : { ...chosen, measurements: measurementsOf(opened, losses, trials, chosen) };
}

function unreachable(what: string, advice: string): UsageError {
  return new UsageError("BUDGET_INVALID", `${what}: ask for ${advice}.`);
}
