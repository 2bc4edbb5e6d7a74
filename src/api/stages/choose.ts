import type { Analysis } from "../../documents/analysis.ts";
import type { Plan } from "../../documents/plan.ts";
import { UsageError } from "../../errors.ts";
import { budgetFromRatio, unreachable } from "../../selection/budget.ts";
import { findAnyMethod, isMeasured } from "../../selection/methods.ts";
import { checkOneBudget, DEFAULT_METHOD, PLAN_OPTIONS, type PlanOptions } from "../plan.ts";
import type { DescribedModel } from "./describe.ts";
import { fastEnough, smallEnough } from "./fewest.ts";
import { budgetsOf, type MaxLoss, mostWithin, type Search } from "./most-within.ts";
import { lossesOf } from "./objective.ts";
import type { OpenedModel } from "./open.ts";
import type { OptionNames } from "./option-names.ts";
import type { ModelRunOptions } from "./options.ts";
import { createPlanner, SEARCH_OPTIONS, type SearchOptions } from "./planner.ts";
import { requirePredictions } from "./predictions.ts";
import { checkTask, type TaskOptions } from "./task.ts";

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
export interface ChooseOptions extends PlanOptions, SearchOptions, TaskOptions {
  /** Bytes that the pruned file may have at most. */
  readonly targetSize?: number | undefined;
  /** How many times as fast the pruned model shall be, above 1; estimated by the share of the matrix products. */
  readonly speedup?: number | undefined;
  /**
   * By what share the perplexity may rise, such as 0.1, or what the KL divergence from the model as it is may be, nats a
   * token; held on the text that the choice is made on, and on the text of the report.
   */
  readonly maxLoss?: MaxLoss | undefined;
}

export const CHOOSE_OPTIONS: OptionNames<ChooseOptions> = {
  ...PLAN_OPTIONS,
  ...SEARCH_OPTIONS,
  task: true,
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
  objective,
  task,
}: ChooseOptions & { readonly quantize?: string | undefined }): void {
  checkTask({ objective, task });
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
  const { onNotice } = options;
  const search: Search = { opened, analysis, method, plan, budgets: budgetsOf(analysis), onNotice };
  if (targetSize !== undefined) return smallEnough(search, described, targetSize, options.dropMtp ?? false);
  if (speedup !== undefined) return fastEnough(search, described, speedup);
  if (maxLoss !== undefined) return mostWithin(search, maxLoss);
  return plan(method, remove ?? budgetFromRatio(ratio!, count));
}
