import type { SimilarityMatrix } from "../documents/analysis.ts";
import { meanAmong } from "./similarity.ts";

/**
 * Representation locality score (arXiv 2605.27786): −log₂ of the mean similarity above the diagonal. High: a layer
 * resembles its neighbours only; low: layers resemble each other across the model.
 * @param similarity N×N, N ≥ 2
 * @returns null if the mean is not positive, which has no finite score
 */
export function rls(similarity: SimilarityMatrix): number | null {
  const layers = similarity.map((_, layer) => layer);
  const average = meanAmong(similarity, layers);
  return average > 0 ? -Math.log2(average) : null;
}

/** The ranges of the score in which LoRP takes 4, 3 and 2 clusters (arXiv 2605.27786); a score of `to` is beyond. */
export const LOCALITY_RANGES = [
  { to: 0.7, clusters: 4, locality: "spread" },
  { to: 1, clusters: 3, locality: "moderate" },
  { to: Number.POSITIVE_INFINITY, clusters: 2, locality: "local" },
] as const;

/** The range of a score; null counts as local. */
export function localityOf(score: number | null): (typeof LOCALITY_RANGES)[number] {
  return LOCALITY_RANGES.find(({ to }) => score !== null && score < to) ?? LOCALITY_RANGES[2];
}

/**
 * The number of clusters LoRP uses for a model of that locality (arXiv 2605.27786).
 * @param score `rls` of the model; null counts as local
 * @param layers N; there are never more clusters than layers
 */
export function clusterCount(score: number | null, layers: number): number {
  return Math.min(localityOf(score).clusters, layers);
}
