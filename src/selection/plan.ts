import type { Analysis } from "../documents/analysis.ts";
import type { ModelSummary } from "../documents/model.ts";
import type { Plan } from "../documents/plan.ts";
import { SCHEMA_VERSION } from "../documents/schema-version.ts";
import { UsageError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { checkBudget } from "./budget.ts";
import { ruleAgainst } from "./constraints.ts";
import { SelectionError } from "./errors.ts";
import { findMethod } from "./methods.ts";
import { type Selection, UNCONSTRAINED } from "./types.ts";

export interface PlanRequest {
  /** Name of a method of `SELECTION_METHODS`. */
  readonly method: string;
  /** Number of layers to remove, 1…N−2. */
  readonly budget: number;
}

/**
 * Decides which layers go.
 * @throws UsageError for an unknown method or a budget out of range
 * @throws SelectionError when the architecture's rules leave no such selection
 */
export function makePlan(analysis: Analysis, { method, budget }: PlanRequest): Plan {
  const { similarity, clusters, k, model } = analysis;
  const chosen = findMethod(method);
  checkBudget(budget, similarity.length);
  const seed = analysis.settings.seed ?? 0;
  const constraints = model.constraints ?? UNCONSTRAINED;
  const selection = chosen.select({ similarity, clusters, k, constraints, seed }, budget);
  return { ...planOf(model, method, selection), rls: analysis.rls, k, seed };
}

/**
 * The plan of a user who names the layers. The first and the last may be among them.
 * @param layers ascending, each once, as `parseLayers` gives them
 * @throws UsageError for a layer that the model does not have, or for too many
 * @throws SelectionError when a rule of the architecture keeps one of them
 */
export function explicitPlan(model: ModelSummary, layers: readonly number[]): Plan {
  const count = model.analysedBlocks ?? model.blockCount;
  const missing = layers.find((layer) => layer >= count);
  if (missing !== undefined) {
    const what =
      missing < model.blockCount
        ? `Layer ${missing} predicts tokens ahead (MTP), which \`dropMtp\` drops`
        : `There is no layer ${missing}`;
    throw new UsageError("LAYERS_INVALID", `${what}: the model's layers are 0 to ${count - 1}.`);
  }
  checkBudget(layers.length, count);
  const rule = ruleAgainst(model.constraints ?? UNCONSTRAINED, count, new Set(layers), layers.length);
  if (rule !== null) {
    throw new SelectionError(
      `Layers ${layers.join(", ")} cannot be removed (${rule}): name others, or give their number and let lorp choose.`,
    );
  }
  const removals = layers.map((layer) => ({
    layer,
    reason: "named",
    score: null,
    text: "named by the user",
  }));
  return planOf(model, "named", { removals, passedOver: [] });
}

/**
 * The layers that predict further tokens ahead (MTP), which nothing else in the model needs.
 * @throws UsageError `OPTION_INVALID` when it has none
 */
export function predictionLayers({ blockCount, analysedBlocks = blockCount }: ModelSummary): number[] {
  if (analysedBlocks === blockCount) {
    throw new UsageError(
      "OPTION_INVALID",
      "The model has no layers that predict tokens ahead (MTP); leave out `dropMtp`.",
    );
  }
  return Array.from({ length: blockCount - analysedBlocks }, (_, index) => analysedBlocks + index);
}

/** A Plan that drops the prediction layers too. @throws UsageError as `predictionLayers` */
export function dropPrediction(plan: Plan): Plan {
  const dropped = predictionLayers(plan.model).filter((layer) => plan.keptLayers.includes(layer));
  const text = "predicts tokens ahead (MTP), dropped on request";
  return {
    ...plan,
    removedLayers: [...plan.removedLayers, ...dropped],
    keptLayers: plan.keptLayers.filter((layer) => !dropped.includes(layer)),
    removals: [...plan.removals, ...dropped.map((layer) => ({ layer, reason: "mtp", score: null, text }))],
  };
}

/** A Plan that keeps them; the same one if it dropped none. */
export function keepPrediction(plan: Plan): Plan {
  const { blockCount, analysedBlocks = blockCount } = plan.model;
  const dropped = plan.removedLayers.filter((layer) => layer >= analysedBlocks);
  if (dropped.length === 0) return plan;
  return {
    ...plan,
    removedLayers: plan.removedLayers.filter((layer) => layer < analysedBlocks),
    keptLayers: [...plan.keptLayers, ...dropped],
    removals: plan.removals.filter(({ layer }) => layer < analysedBlocks),
  };
}

/** The Plan of what a method chose. */
export function planOf(
  { constraints: _, ...model }: ModelSummary,
  method: string,
  { removals, passedOver }: Selection,
): Plan {
  const removed = new Set(removals.map(({ layer }) => layer));
  const layers = Array.from({ length: model.blockCount }, (_, layer) => layer);
  return {
    schemaVersion: SCHEMA_VERSION,
    lorpVersion: VERSION,
    model,
    method,
    budget: removed.size,
    removedLayers: layers.filter((layer) => removed.has(layer)),
    keptLayers: layers.filter((layer) => !removed.has(layer)),
    removals,
    passedOver,
  };
}
