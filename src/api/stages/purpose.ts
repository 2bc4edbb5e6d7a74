import type { AssessmentOptions } from "../../analysis/adaptive.ts";
import { completeAnalysis } from "../../analysis/complete.ts";
import type { Analysis } from "../../documents/analysis.ts";
import type { ModelSummary } from "../../documents/model.ts";
import { SCHEMA_VERSION } from "../../documents/schema-version.ts";
import { legalSizes } from "../../selection/constraints.ts";
import { SelectionError } from "../../selection/errors.ts";
import { makePlan } from "../../selection/plan.ts";
import { SELECTION_METHODS } from "../../selection/pure-methods.ts";
import { createRandom } from "../../selection/rng.ts";
import { UNCONSTRAINED } from "../../selection/types.ts";
import { DEFAULT_METHOD } from "../plan.ts";
import type { OptionNames } from "./option-names.ts";
import { CLUSTER_OPTIONS, type ClusterOptions } from "./options.ts";

/** What an Analysis will be used for; how much must be measured for it depends on that. */
export interface PurposeOptions extends ClusterOptions {
  /** Number of layers that will be removed. */
  readonly remove?: number | undefined;
  /** Or their share; a quarter by default. */
  readonly ratio?: number | undefined;
  /** The method that will choose them; `lorp` by default, and in place of one that measures the model itself. */
  readonly method?: string | undefined;
}

export const PURPOSE_OPTIONS: OptionNames<PurposeOptions> = {
  ...CLUSTER_OPTIONS,
  remove: true,
  ratio: true,
  method: true,
};

export interface Purpose {
  readonly method: string;
  /** Number of layers; 0 for a model of which none can go. */
  readonly budget: number;
  /** How to judge measurements; the same numbers are drawn each time it is made. */
  assessment(): AssessmentOptions;
}

/** The share of the layers that an Analysis is made for if nobody says. */
const DEFAULT_RATIO = 0.25;

export function purposeOf(model: ModelSummary, options: PurposeOptions): Purpose {
  const { clusters, seed = 0 } = options;
  const method = SELECTION_METHODS.find(({ name }) => name === options.method)?.name ?? DEFAULT_METHOD;
  const budget = options.remove ?? nearestBudget(model, options.ratio ?? DEFAULT_RATIO);
  const removedBy = (analysis: Analysis) => {
    try {
      return makePlan(analysis, { method, budget }).removedLayers;
    } catch (error) {
      // Of a number that nobody asked for, a method may find no legal set; then only the clusters are judged.
      if (options.remove === undefined && error instanceof SelectionError) return [];
      throw error;
    }
  };
  return {
    method,
    budget,
    assessment: () => ({
      decide(similarity) {
        const analysis = completeAnalysis(
          { schemaVersion: SCHEMA_VERSION, model, similarity },
          { clusters, seed },
        );
        const removed = budget === 0 ? [] : removedBy(analysis);
        return { rls: analysis.rls, k: analysis.k, clusters: analysis.clusters, removed };
      },
      clustersFollowRls: clusters === undefined,
      random: createRandom(seed),
    }),
  };
}

/** The number of layers nearest to a share of them that the architecture allows to go; 0 if it allows none. */
function nearestBudget(
  { analysedBlocks, blockCount, constraints = UNCONSTRAINED }: ModelSummary,
  ratio: number,
): number {
  const layers = analysedBlocks ?? blockCount;
  const distance = (size: number) => Math.abs(size - ratio * layers);
  return legalSizes(constraints, layers)
    .filter((size) => size >= 1 && size <= layers - 2)
    .reduce((nearest, size) => (nearest === 0 || distance(size) < distance(nearest) ? size : nearest), 0);
}
