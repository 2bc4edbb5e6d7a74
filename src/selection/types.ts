/** What a selection method gets and gives. Plain data; methods are pure functions of it. */

import type { SimilarityMatrix } from "../documents/analysis.ts";
import type { Constraints } from "../documents/model.ts";
import type { PassedOver, Removal } from "../documents/plan.ts";
import type { Trials } from "./trials.ts";

export type { SimilarityMatrix } from "../documents/analysis.ts";
export type { Constraints } from "../documents/model.ts";
export type { PassedOver, Removal } from "../documents/plan.ts";

/** What a model without rules must respect. */
export const UNCONSTRAINED: Constraints = { fixed: [], positional: [] };

export interface SelectionInput {
  /** N×N cosine similarities of the layer inputs, S[i][i] = 1. */
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
  /** Whether a limit ended a search that could have gone on. */
  readonly isCut?: boolean;
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

/** How far a search may go. */
export interface SearchLimits {
  /** Sets measured in all, those given up early included; without end by default. */
  readonly evaluations?: number | undefined;
  /** Seconds for the search that follows the methods' own choices; what it finds then depends on the machine. */
  readonly seconds?: number | undefined;
  /** Tokens run for the search that follows the methods' own choices (`Trials.work`), where no seconds are given. */
  readonly work?: number | undefined;
}

export interface MeasuredInput extends SelectionInput {
  /** Other clusterings of the same layers to try. */
  readonly clusterings: readonly Pick<SelectionInput, "k" | "clusters">[];
  readonly limits: SearchLimits;
}

/** A method that measures what removals cost. */
export interface MeasuredMethod {
  readonly measures: true;
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  /** Tokens run at most, about (`Trials.work`). @param complete tokens of a set's complete measurement */
  mostTokens(input: MeasuredInput, budget: number, complete: number): number;
  /**
   * @param budget number of layers to remove, 1…N−2
   * @param trials measures, and keeps what was measured
   * @throws SelectionError when no set of that size satisfies the constraints; RuntimeError, AbortedError
   */
  select(input: MeasuredInput, budget: number, trials: Trials): Promise<Selection>;
}
