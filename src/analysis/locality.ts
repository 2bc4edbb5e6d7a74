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

/**
 * The number of clusters LoRP uses for a model of that locality (arXiv 2605.27786).
 * @param score `rls` of the model; null counts as local
 * @param layers N; there are never more clusters than layers
 */
export function clusterCount(score: number | null, layers: number): number {
  const k = score === null || score >= 1 ? 2 : score >= 0.7 ? 3 : 4;
  return Math.min(k, layers);
}
