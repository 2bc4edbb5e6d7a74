import { planRewrite } from "../../architecture/architecture.ts";
import type { Analysis } from "../../documents/analysis.ts";
import type { Plan } from "../../documents/plan.ts";
import { UsageError } from "../../errors.ts";
import { modelLosses } from "../../evaluation/losses.ts";
import { measureBlocks } from "../../inspection/blocks.ts";
import { budgetFromRatio } from "../../selection/budget.ts";
import { legalSizes } from "../../selection/constraints.ts";
import { SelectionError } from "../../selection/errors.ts";
import { findAnyMethod, isMeasured, SELECTION_METHODS } from "../../selection/methods.ts";
import { createTrials, type LossSource, meanLoss } from "../../selection/trials.ts";
import { UNCONSTRAINED } from "../../selection/types.ts";
import { layOut } from "../../surgery/layout.ts";
import { checkOneBudget, DEFAULT_METHOD, type PlanOptions } from "../plan.ts";
import { type DescribedModel, fileBytes, type OpenedModel } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";
import { outputMetadata } from "./output-metadata.ts";
import {
  createPlanner,
  measurementsOf,
  ORIGINAL,
  type Planner,
  requireHeldBack,
  type SearchOptions,
} from "./planner.ts";

/** How much to remove: exactly one of these or of those of PlanOptions. */
export interface ChooseOptions extends PlanOptions, SearchOptions {
  /** Bytes that the pruned file may have at most. */
  readonly targetSize?: number | undefined;
  /** How many times as fast the pruned model shall be, above 1; estimated by the share of the matrix products. */
  readonly speedup?: number | undefined;
  /** By what share the perplexity on held-back text may rise, such as 0.1. */
  readonly maxLoss?: number | undefined;
}

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
  checkOneBudget({
    "--remove N": remove,
    "--ratio R": ratio,
    "--layers LIST": layers,
    "--target-size SIZE": targetSize,
    "--speedup X": speedup,
    "--max-loss SHARE": maxLoss,
  });
  if (targetSize !== undefined && quantize !== undefined) {
    throw new UsageError(
      "BUDGET_INVALID",
      "--target-size is about the file before --quantize makes it smaller still: leave one of them out, or ask for a number of layers.",
    );
  }
  if (speedup !== undefined && !(speedup > 1)) throw unreachable(`A speedup of ${speedup} is none`, "1.3");
  if (maxLoss !== undefined && !(maxLoss > 0)) throw unreachable(`A loss of ${maxLoss} is none`, "10%");
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
  const { remove, ratio, targetSize, speedup, maxLoss, method = DEFAULT_METHOD } = options;
  const losses = modelLosses(opened.lanes, opened.split.heldBack);
  const plan = createPlanner(opened, analysis, losses, options);
  const count = analysis.similarity.length;
  const search: Search = { described, opened, method, plan, budgets: budgetsOf(analysis) };
  if (targetSize !== undefined) return smallEnough(search, targetSize);
  if (speedup !== undefined) return fastEnough(search, speedup);
  if (maxLoss !== undefined) return mostWithin(search, losses, maxLoss);
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

/** The method's Plan, or undefined where it finds none of that size. */
async function planIfAny(plan: Planner, method: string, budget: number): Promise<Plan | undefined> {
  try {
    return await plan(method, budget);
  } catch (error) {
    if (error instanceof SelectionError) return undefined;
    throw error;
  }
}

function smallEnough(search: Search, targetSize: number): Promise<Plan> {
  const { file, architecture } = search.described;
  const { blocks } = measureBlocks(file, architecture.name, architecture.blockCount);
  const whole = fileBytes(file);
  if (whole <= targetSize) throw unreachable(`The file takes ${whole} bytes as it is`, "fewer");
  return fewest(search, {
    gains: blocks.map(({ bytes }) => bytes),
    needed: whole - targetSize,
    gain: (plan) => {
      const rewrite = planRewrite(file, plan.keptLayers);
      const parts = layOut(file, rewrite, outputMetadata(search.described, plan, rewrite));
      return whole - parts.reduce((sum, { size }) => sum + size, 0);
    },
    failure: (most) =>
      unreachable(`The file cannot get below about ${whole - most} bytes by removing layers`, "more bytes"),
  });
}

/** Speed is taken as inverse to the weights that one token is multiplied with, as `lorp inspect` counts them. */
function fastEnough(search: Search, speedup: number): Promise<Plan> {
  const { file, architecture } = search.described;
  const { blocks, rest } = measureBlocks(file, architecture.name, architecture.blockCount);
  const gains = blocks.map(({ activeParameters }) => activeParameters);
  const whole = sum(gains) + rest.activeParameters;
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
  const most = (budget: number) => sum(largestFirst.slice(0, budget));
  for (const budget of budgets) {
    if (ABOUT * most(budget) < goal.needed) continue;
    const made = await planIfAny(plan, method, budget);
    if (made && goal.gain(made) >= goal.needed) return made;
  }
  throw goal.failure(most(budgets.at(-1) ?? 0));
}

/**
 * The Plan of the most layers whose perplexity on the held-back sequences is within the limit. A method that only
 * reads the Analysis is asked from the most layers down, so that its answer is the largest there is; one that measures
 * is asked from the number that the others reach, up while it keeps within the limit or down until it does.
 */
async function mostWithin(search: Search, losses: LossSource, maxLoss: number): Promise<Plan> {
  const { opened, method, plan, budgets } = search;
  requireHeldBack(opened, "--max-loss");
  const trials = createTrials(losses);
  const original = await trials.measure([], ORIGINAL);
  const margin = Math.log1p(maxLoss);
  const within = async (by: string, budget: number): Promise<Plan | undefined> => {
    const made = await planIfAny(plan, by, budget);
    if (!made) return undefined;
    const trial = await trials.measure(made.removedLayers, by, { rival: original, margin });
    return trial.complete && meanLoss(trial) - meanLoss(original) <= margin ? made : undefined;
  };
  const largest = async (methods: readonly string[]): Promise<[index: number, made: Plan] | undefined> => {
    for (let index = budgets.length - 1; index >= 0; index--) {
      for (const by of methods) {
        const made = await within(by, budgets[index]!);
        if (made) return [index, made];
      }
    }
    return undefined;
  };
  let chosen: Plan | undefined;
  if (!isMeasured(findAnyMethod(method))) {
    chosen = (await largest([method]))?.[1];
  } else {
    const start = (await largest(SELECTION_METHODS.map(({ name }) => name)))?.[0] ?? 0;
    for (const budget of budgets.slice(0, start + 1).reverse()) {
      chosen = await within(method, budget);
      if (chosen) break;
    }
    const reached = chosen?.budget ?? Number.POSITIVE_INFINITY;
    for (const budget of budgets.filter((size) => size > reached)) {
      const more = await within(method, budget);
      if (!more) break;
      chosen = more;
    }
  }
  if (!chosen) {
    throw unreachable(`No layer can go for a loss of ${(100 * maxLoss).toFixed(1)} % by ${method}`, "more");
  }
  return chosen.measurements ? chosen : { ...chosen, measurements: measurementsOf(opened, trials, chosen) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function unreachable(what: string, advice: string): UsageError {
  return new UsageError("BUDGET_INVALID", `${what}: ask for ${advice}.`);
}
