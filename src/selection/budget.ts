import { UsageError } from "../errors.ts";

/**
 * Checks a number of layers to remove.
 * @param layers N; at least two always stay
 * @throws UsageError `BUDGET_INVALID` unless it is a whole number, 1…N−2
 */
export function checkBudget(budget: number, layers: number): void {
  const most = layers - 2;
  if (most < 1) {
    throw invalid(
      `A model of ${layers} layers cannot be pruned: choose one with more, since two always stay`,
    );
  }
  if (!Number.isInteger(budget) || budget < 1 || budget > most) {
    throw invalid(`Cannot remove ${budget} of ${layers} layers: ask for 1 to ${most}, since two always stay`);
  }
}

/** Layers that can go at most of a model that is to be of use: a third of its depth (docs/results/real-models.md). */
export function mostUseful(layers: number): number {
  return Math.max(1, Math.floor(layers / 3));
}

/**
 * The number of layers nearest to a share of them.
 * @param ratio share of the N layers, above 0 and below 1
 * @throws UsageError `BUDGET_INVALID`
 */
export function budgetFromRatio(ratio: number, layers: number): number {
  if (!(ratio > 0 && ratio < 1))
    throw invalid(`The ratio ${ratio} is not between 0 and 1: use 0.25 for a quarter`);
  const budget = Math.round(ratio * layers);
  if (budget < 1) {
    throw invalid(`The ratio ${ratio} of ${layers} layers is less than one: use at least ${0.5 / layers}`);
  }
  checkBudget(budget, layers);
  return budget;
}

/** More layers than any model has; a range is not written out beyond it. */
const MOST_LAYERS = 10_000;

/** Layers by their indices, or as the command line takes them: `5,7,11-13`. */
export type LayerList = string | readonly number[];

/**
 * @returns ascending indices
 * @throws UsageError `LAYERS_INVALID`
 */
export function parseLayers(list: LayerList): number[] {
  const text = String(list);
  const layers = text.split(",").flatMap((part) => {
    const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || to < from) {
      throw new UsageError(
        "LAYERS_INVALID",
        `"${part.trim()}" in "${text}" names no layers: write indices and ranges, such as 5,7,11-13.`,
      );
    }
    if (to >= MOST_LAYERS) {
      throw new UsageError(
        "LAYERS_INVALID",
        `"${part.trim()}" names a layer that no model has: layers are counted from 0, and "lorp inspect" lists them.`,
      );
    }
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  layers.sort((a, b) => a - b);
  const twice = layers.find((layer, index) => layer === layers[index + 1]);
  if (twice !== undefined) {
    throw new UsageError("LAYERS_INVALID", `"${text}" names layer ${twice} twice: name each layer once.`);
  }
  return layers;
}

function invalid(message: string): UsageError {
  return new UsageError("BUDGET_INVALID", `${message}.`);
}

/** A goal that no number of layers comes up to. */
export function unreachable(what: string, advice: string): UsageError {
  return new UsageError("BUDGET_INVALID", `${what}: ask for ${advice}.`);
}
