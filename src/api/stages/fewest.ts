import type { Plan } from "../../documents/plan.ts";
import type { UsageError } from "../../errors.ts";
import { measureBlocks } from "../../inspection/blocks.ts";
import { mostUseful, unreachable } from "../../selection/budget.ts";
import { dropPrediction } from "../../selection/plan.ts";
import { sum } from "../../statistics.ts";
import { type DescribedModel, fileBytes } from "./describe.ts";
import type { Search } from "./most-within.ts";
import { planIfAny } from "./planner.ts";
import { activeParameters, outputSize } from "./savings.ts";

/**
 * The fewest layers without which the file has at most so many bytes.
 * @throws UsageError where none are enough; what a Planner throws
 */
export async function smallEnough(
  search: Search,
  described: DescribedModel,
  targetSize: number,
  dropMtp: boolean,
): Promise<Plan> {
  const { file, architecture } = described;
  const { blocks } = measureBlocks(file);
  const whole = fileBytes(file);
  if (whole <= targetSize) throw unreachable(`The file takes ${whole} bytes as it is`, "fewer");
  const gains = blocks.map(({ bytes }) => bytes);
  const fingerprint = await described.fingerprint();
  return fewest(search, {
    gains: gains.slice(0, architecture.analysedBlocks),
    always: dropMtp ? sum(gains.slice(architecture.analysedBlocks)) : 0,
    needed: whole - targetSize,
    gain: (trunk) =>
      whole - outputSize(described, dropMtp ? dropPrediction(trunk) : trunk, fingerprint).bytes,
    failure: (most) =>
      unreachable(`The file cannot get below about ${whole - most} bytes by removing layers`, "more bytes"),
  });
}

/**
 * The fewest layers without which the model is so many times as fast, by the estimate that `estimateSpeedup` makes.
 * @throws UsageError where none are enough; what a Planner throws
 */
export function fastEnough(search: Search, described: DescribedModel, speedup: number): Promise<Plan> {
  const { blocks: gains, rest } = activeParameters(described);
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

/** Warns before anything is tried for a goal that takes more layers than a model can do without. */
function warnOfMany({ analysis, onNotice }: Search, fewest: number): void {
  const layers = analysis.similarity.length;
  if (fewest <= mostUseful(layers)) return;
  onNotice?.(
    `At least ${fewest} of ${layers} layers have to go for this, and a model without more than a third of them is seldom of use: ask for less, or see with "lorp compare" what each number costs.`,
  );
}

/** The Plan of the fewest layers that gains what is needed; numbers of layers that cannot do so are not tried. */
async function fewest(search: Search, goal: Goal): Promise<Plan> {
  const { plan, method, budgets } = search;
  const largestFirst = goal.gains.toSorted((a, b) => b - a);
  const most = (budget: number) => (goal.always ?? 0) + sum(largestFirst.slice(0, budget));
  const enough = budgets.filter((budget) => ABOUT * most(budget) >= goal.needed);
  if (enough[0] !== undefined) warnOfMany(search, enough[0]);
  for (const budget of enough) {
    const made = await planIfAny(plan, method, budget);
    if (made && goal.gain(made) >= goal.needed) return made;
  }
  throw goal.failure(most(budgets.at(-1) ?? 0));
}
