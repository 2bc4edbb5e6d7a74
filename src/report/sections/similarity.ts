import { meanAmong } from "../../analysis/similarity.ts";
import type { SimilarityMatrix } from "../../documents/analysis.ts";

/** Mean similarity of all pairs of the layers given, by default of all layers. */
export function meanSimilarity(
  similarity: SimilarityMatrix,
  layers: readonly number[] = [...similarity.keys()],
): number {
  return meanAmong(similarity, layers);
}
