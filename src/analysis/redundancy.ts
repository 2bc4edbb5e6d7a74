import type { LayerMeasures, SimilarityMatrix } from "../documents/analysis.ts";
import { mean } from "../statistics.ts";
import { similarityOf } from "./similarity.ts";

/** The layers of each cluster, ascending. @param clusters the cluster of each layer, 0…k−1 */
export function clusterMembers(clusters: readonly number[], k: number): number[][] {
  const members: number[][] = Array.from({ length: k }, () => []);
  clusters.forEach((cluster, layer) => {
    members[cluster]?.push(layer);
  });
  return members;
}

/** Mean similarity of a layer to the others of `members`; null if there are none. */
export function layerRedundancy(
  similarity: SimilarityMatrix,
  layer: number,
  members: readonly number[],
): number | null {
  const others = members.filter((member) => member !== layer);
  return others.length === 0 ? null : mean(others.map((other) => similarityOf(similarity, layer, other)));
}

/** ShortGPT's block influence (arXiv 2403.03853, equation 1): 1 − S[i][i+1]; null for the last layer. */
export function blockInfluence(similarity: SimilarityMatrix, layer: number): number | null {
  return layer + 1 < similarity.length ? 1 - similarityOf(similarity, layer, layer + 1) : null;
}

/** What each layer looks like, given its cluster. */
export function measureLayers(
  similarity: SimilarityMatrix,
  clusters: readonly number[],
  k: number,
): LayerMeasures[] {
  const members = clusterMembers(clusters, k);
  return clusters.map((cluster, layer) => ({
    layer,
    cluster,
    redundancy: layerRedundancy(similarity, layer, members[cluster] ?? []),
    blockInfluence: blockInfluence(similarity, layer),
  }));
}
