/** What a selection method gets and gives. Plain data; methods are pure functions of it. */

import type { SimilarityMatrix } from "../documents/analysis.ts";
import type { Constraints } from "../documents/model.ts";
import type { PassedOver, Removal } from "../documents/plan.ts";

export type { SimilarityMatrix } from "../documents/analysis.ts";
export { type Constraints, UNCONSTRAINED } from "../documents/model.ts";
export type { PassedOver, Removal } from "../documents/plan.ts";

export interface SelectionInput {
  /** N×N cosine similarities of the block inputs, S[i][i] = 1. */
  readonly similarity: SimilarityMatrix;
  /** Cluster number of each layer, 0…k−1, numbered by first layer. */
  readonly clusters: readonly number[];
  readonly k: number;
  readonly constraints: Constraints;
  readonly seed: number;
}

export interface Selection {
  /** In the order of removal. */
  readonly removals: readonly Removal[];
  /** Layers that the method would have taken had a rule of the architecture not kept them. */
  readonly passedOver: readonly PassedOver[];
}

/** A method that decides from the Analysis alone. The last layer is never removed, nor, as a rule, is the first. */
export interface SelectionMethod {
  readonly name: string;
  /** One line for `lorp methods`. */
  readonly summary: string;
  /** Paper or other origin. */
  readonly source: string;
  /**
   * @param budget number of layers to remove, 1…N−2
   * @throws SelectionError when no set of that size that the method could choose satisfies the constraints
   */
  select(input: SelectionInput, budget: number): Selection;
}
