import type { Analysis } from "../../documents/analysis.ts";
import type { Plan } from "../../documents/plan.ts";
import type { Report } from "../../documents/report.ts";
import { RUINED_ABOVE } from "../../evaluation/verdict.ts";
import type { Objective } from "../../objectives.ts";
import { unreachable } from "../../selection/budget.ts";
import { legalSizes } from "../../selection/constraints.ts";
import { findAnyMethod, isMeasured, SELECTION_METHODS } from "../../selection/methods.ts";
import { makePlan } from "../../selection/plan.ts";
import { createTrials, type LossSource, meanLoss, type Trial, type Trials } from "../../selection/trials.ts";
import { UNCONSTRAINED } from "../../selection/types.ts";
import { lossesOf } from "./objective.ts";
import type { OpenedModel } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";
import { measurementsOf, ORIGINAL, type Planner, planIfAny } from "./planner.ts";

/** Where a choice of how many layers go looks. */
export interface Search {
  readonly opened: OpenedModel;
  readonly analysis: Analysis;
  readonly method: string;
  readonly plan: Planner;
  /** Numbers of layers that can go, ascending. */
  readonly budgets: readonly number[];
  readonly onNotice?: ModelRunOptions["onNotice"];
}

/** The numbers of layers that can go, ascending. */
export function budgetsOf({ model, similarity }: Analysis): number[] {
  const count = similarity.length;
  return legalSizes(model.constraints ?? UNCONSTRAINED, count).filter(
    (size) => size > 0 && size <= count - 2,
  );
}

/** A share of the perplexity, or a KL divergence. */
export type MaxLoss = number | { readonly nats: number };

/** Numbers of layers in a row that are too much, after which more are not tried. */
const PATIENCE = 2;

/**
 * The Plan of the most layers that keeps within the limit on both texts. A method that only reads the Analysis is asked
 * from the most layers down, so that its answer is the largest there is; one that measures is asked from one layer up,
 * since what it measured for few layers serves for more, until it no longer keeps within (some numbers of layers cost
 * more than the next).
 */
export async function mostWithin(
  { opened, analysis, method, plan, budgets }: Search,
  maxLoss: MaxLoss,
): Promise<Plan> {
  const [objective, margin] =
    typeof maxLoss === "object"
      ? (["kl", maxLoss.nats] as const)
      : (["perplexity", Math.log1p(maxLoss)] as const);
  const judges = await judgesOf(opened, objective, analysis);
  const measures = isMeasured(findAnyMethod(method));
  // What is best on one text may be too much on the other where another method's choice is not.
  const methods = [method, ...(measures ? PURE_METHODS : [])];
  let chosen: Plan | undefined;
  let failed = 0;
  for (const budget of measures ? budgets : budgets.toReversed()) {
    const made = await firstWithin(methods, margin, judges, (by) => planIfAny(plan, by, budget));
    failed = made ? 0 : failed + 1;
    if (made) chosen = made;
    if (measures ? failed === PATIENCE : made) break;
  }
  if (!chosen) {
    const limit = typeof maxLoss === "object" ? `${maxLoss.nats} nats` : `${(100 * maxLoss).toFixed(1)} %`;
    throw unreachable(`No layer can go for a loss of ${limit} by ${method}`, "more");
  }
  if (chosen.measurements) return chosen;
  const { losses, trials } = judges[0]!;
  return { ...chosen, measurements: measurementsOf(opened, losses, trials, chosen) };
}

/** The methods that only read the Analysis. */
const PURE_METHODS = SELECTION_METHODS.map(({ name }) => name);

/** Less what losses leave out of a distribution (`evaluation/losses.ts`). */
const NOT_RUINED = 0.95 * RUINED_ABOVE;

/** One of the texts on which a loss is held. */
interface Judge {
  readonly losses: LossSource;
  readonly trials: Trials;
  /** The model as it is. */
  readonly original: Trial;
}

/** The text of the choice, then that of the report. */
async function judgesOf(
  opened: OpenedModel,
  objective: Objective,
  { similarity }: Analysis,
): Promise<Judge[]> {
  const judges: Judge[] = [];
  for (const part of ["choice", "report"] as const) {
    const losses = await lossesOf(opened, objective, part);
    const trials = createTrials(losses, similarity.length);
    judges.push({ losses, trials, original: await trials.measure([], ORIGINAL) });
  }
  return judges;
}

/** The first of the methods' Plans that keeps within the margin on every text. */
async function firstWithin(
  methods: readonly string[],
  margin: number,
  judges: readonly Judge[],
  planBy: (method: string) => Promise<Plan | undefined>,
): Promise<Plan | undefined> {
  for (const method of methods) {
    const made = await planBy(method);
    if (made && (await holds(made, margin, judges))) return made;
  }
  return undefined;
}

async function holds(
  { removedLayers, method }: Plan,
  margin: number,
  judges: readonly Judge[],
): Promise<boolean> {
  for (const { trials, original } of judges) {
    const trial = await trials.measure(removedLayers, method, { rival: original, margin });
    if (!trial.complete || meanLoss(trial) - meanLoss(original) > margin) return false;
  }
  return true;
}

/**
 * How many layers can go, fewer than so many that the model is ruined, before it is: by bisection over what the methods
 * that only read the Analysis choose, since that is at hand and what is hopeless shows early.
 * @param ruined number of layers that ruin it
 * @returns undefined where one layer is too much by all of them
 * @throws CalibrationError, RuntimeError, AbortedError
 */
export async function mostNotRuined(
  opened: OpenedModel,
  analysis: Analysis,
  ruined: number,
): Promise<Report["reach"]> {
  const budgets = budgetsOf(analysis).filter((size) => size < ruined);
  const plan: Planner = async (method, budget) => makePlan(analysis, { method, budget });
  const judges = await judgesOf(opened, "kl", analysis);
  let reach: Report["reach"];
  let [from, to] = [0, budgets.length];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    const found = await firstWithin(PURE_METHODS, NOT_RUINED, judges, (method) =>
      planIfAny(plan, method, budgets[middle]!),
    );
    if (!found) {
      to = middle;
      continue;
    }
    const { removedLayers, method } = found;
    const measured = await judges.at(-1)!.trials.measure(removedLayers, method);
    reach = { removedLayers, method, klDivergence: meanLoss(measured) };
    from = middle + 1;
  }
  return reach;
}
