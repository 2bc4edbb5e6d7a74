import { completeAnalysis } from "../analysis/complete.ts";
import { keepPattern } from "../architecture/pattern.ts";
import type { PartialAnalysis } from "../documents/analysis.ts";
import type { Plan } from "../documents/plan.ts";
import { UsageError } from "../errors.ts";
import { budgetFromRatio, type LayerList, parseLayers } from "../selection/budget.ts";
import { findAnyMethod } from "../selection/methods.ts";
import { dropPrediction, explicitPlan, makePlan } from "../selection/plan.ts";
import { checkOptions } from "./check-options.ts";
import type { OptionNames } from "./stages/option-names.ts";
import { CLUSTER_OPTIONS, type ClusterOptions } from "./stages/options.ts";

/** How much to remove: exactly one of the first three. */
export interface PlanOptions extends ClusterOptions {
  /** Number of layers to remove. */
  readonly remove?: number | undefined;
  /** Share of the layers to remove, 0…1. */
  readonly ratio?: number | undefined;
  /** The layers themselves, e.g. `[5, 7]` or `"5,7,11-13"`. */
  readonly layers?: LayerList | undefined;
  /** Selection method; `lorp` by default. */
  readonly method?: string | undefined;
  /**
   * Remove whole periods of a sliding-window pattern only, where engines are known that take it from a layer's number
   * (Ollama before 0.30); any layers by default.
   */
  readonly patternSafe?: boolean | undefined;
  /** Drop the layers that predict further tokens ahead (MTP) besides; they stay by default. */
  readonly dropMtp?: boolean | undefined;
}

export const PLAN_OPTIONS: OptionNames<PlanOptions> = {
  ...CLUSTER_OPTIONS,
  remove: true,
  ratio: true,
  layers: true,
  method: true,
  patternSafe: true,
  dropMtp: true,
};

/** The default selection method. */
export const DEFAULT_METHOD = "lorp";

/**
 * Decides from an Analysis which layers go; needs no model. What a hand-written Analysis lacks is worked out.
 * @throws UsageError for a budget, method or layers that cannot be meant
 * @throws SelectionError when the architecture's rules leave no such set
 * @example
 * ```ts
 * import { plan, readAnalysis } from "lorp";
 *
 * const { removals } = plan(await readAnalysis("analysis.json"), { remove: 5 });
 * for (const { layer, text } of removals) console.log(layer, text);
 * ```
 */
export function plan(analysis: PartialAnalysis, options: PlanOptions): Plan {
  const made = planTrunk(analysis, options);
  return options.dropMtp ? dropPrediction(made) : made;
}

function planTrunk(given: PartialAnalysis, options: PlanOptions): Plan {
  checkOptions(options, PLAN_OPTIONS);
  const analysis = options.patternSafe ? { ...given, model: keepPattern(given.model) } : given;
  const { remove, ratio, layers } = options;
  checkOneBudget({ remove, ratio, layers });
  if (layers !== undefined) {
    if (options.method !== undefined) findAnyMethod(options.method);
    return explicitPlan(analysis.model, parseLayers(layers));
  }
  const complete = completeAnalysis(analysis, options);
  return makePlan(complete, {
    method: options.method ?? DEFAULT_METHOD,
    budget: options.remove ?? budgetFromRatio(options.ratio!, complete.similarity.length),
  });
}

/**
 * @param ways to say how much, by their option
 * @throws UsageError unless exactly one is used
 */
export function checkOneBudget(ways: Readonly<Record<string, unknown>>): void {
  const given = Object.values(ways).filter((value) => value !== undefined).length;
  if (given === 1) return;
  const names = Object.keys(ways).map((name) => `\`${name}\``);
  throw new UsageError(
    "BUDGET_INVALID",
    `Say how much to remove in ${given === 0 ? "one way" : "one way only"}: ${names.slice(0, -1).join(", ")}, or ${names.at(-1)}.`,
  );
}
