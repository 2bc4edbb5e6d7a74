import { readFileSync } from "node:fs";
import type { SimilarityMatrix } from "../../src/documents/analysis.ts";

/** Removed layers by budget. */
type ByBudget = Readonly<Record<string, readonly number[]>>;

/** A similarity matrix and what the reference implementation of the LoRP paper makes of it. */
export interface ReferenceSelection {
  readonly name: string;
  readonly layers: number;
  readonly similarity: SimilarityMatrix;
  readonly rls: number;
  readonly k: number;
  /** Cluster labels for K = 2, 3, 4. */
  readonly labels: Readonly<Record<string, readonly number[]>>;
  readonly lorp: ByBudget;
  readonly lorpForcedK: Readonly<Record<string, ByBudget>>;
  readonly shortgpt: ByBudget;
  readonly streamline: ByBudget;
}

export const referenceSelections: readonly ReferenceSelection[] = JSON.parse(
  readFileSync(new URL("../data/reference-selection.json", import.meta.url), "utf8"),
);
