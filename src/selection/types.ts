/** What a selection method gets and gives. Plain data; methods are pure functions of it. */

/** N×N cosine similarities of the block inputs, S[i][i] = 1. */
export type SimilarityMatrix = readonly (readonly number[])[];

/**
 * What a removal must respect, derived from the architecture (src/architecture) and stored in the Analysis, so that
 * planning needs no model.
 */
export interface Constraints {
  /** Blocks that are never candidates, each with the rule that holds it in place. */
  readonly fixed: readonly { readonly layer: number; readonly rule: string }[];
  /**
   * Rules by which a block's kind follows from its index and cannot be written out: after the removal, the kept block
   * that comes to stand at index j must satisfy `kinds[kept[j]] === kinds[j]`.
   */
  readonly positional: readonly { readonly rule: string; readonly kinds: readonly number[] }[];
}

export const UNCONSTRAINED: Constraints = { fixed: [], positional: [] };

export interface SelectionInput {
  readonly similarity: SimilarityMatrix;
  /** Cluster number of each layer, 0…k−1, numbered by first layer. */
  readonly clusters: readonly number[];
  readonly k: number;
  readonly constraints: Constraints;
  readonly seed: number;
}

/** One removed layer, in the order of removal, and why it went. */
export interface Removal {
  readonly layer: number;
  /** A short machine-readable reason, e.g. `stage-1`, `block-influence`, `run`. */
  readonly reason: string;
  /** The number the decision rested on, e.g. the layer's mean similarity within its cluster. */
  readonly score: number;
  readonly cluster?: number;
}

export interface Selection {
  /** In the order of removal. */
  readonly removals: readonly Removal[];
}

/** A method that decides from the Analysis alone. */
export interface SelectionMethod {
  readonly name: string;
  /** One line for `lorp methods`. */
  readonly summary: string;
  /** Paper or other origin. */
  readonly source: string;
  /**
   * @param budget number of layers to remove, 1…N−2
   * @throws SelectionError when no set of that size satisfies the constraints
   */
  select(input: SelectionInput, budget: number): Selection;
}
