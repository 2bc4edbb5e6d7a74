import type { Analysis, PartialAnalysis, SimilarityMatrix } from "../documents/analysis.ts";
import { UsageError } from "../errors.ts";
import { addon } from "../native/addon.ts";
import { AnalysisError } from "./errors.ts";
import { clusterCount, rls } from "./locality.ts";
import { measureLayers } from "./redundancy.ts";
import { checkSimilarity } from "./similarity.ts";

export interface ClusteringOptions {
  /** Number of clusters; by default the Analysis's own, or what its locality asks for. */
  readonly clusters?: number | undefined;
  /** Seed of the clustering; by default the Analysis's own, or 0. */
  readonly seed?: number | undefined;
}

/**
 * Works out what an Analysis lacks: locality score, clusters, each layer's measures. Clusters that it has already
 * stand, unless another number or another seed is asked for.
 *
 * @throws AnalysisError if the matrix, or the clusters given, cannot be right
 * @throws UsageError for a number of clusters that the model cannot be divided into
 */
export function completeAnalysis(partial: PartialAnalysis, options: ClusteringOptions = {}): Analysis {
  const { similarity, model } = partial;
  checkSimilarity(similarity);
  const measured = model.analysedBlocks ?? model.blockCount;
  if (similarity.length !== measured) {
    throw new AnalysisError(
      `similarity has ${similarity.length} rows, but the model has ${measured} layers.`,
    );
  }
  const score = rls(similarity);
  const seed = options.seed ?? partial.settings?.seed ?? 0;
  const { k, clusters } =
    givenClusters(partial, options) ?? findClusters(partial, score, options.clusters, seed);
  return {
    ...partial,
    settings: {
      ...partial.settings,
      seed,
      ...(options.clusters === undefined ? {} : { clusters: options.clusters }),
    },
    rls: score,
    k,
    clusters,
    layers: measureLayers(similarity, clusters, k),
  };
}

interface Clustering {
  readonly k: number;
  readonly clusters: readonly number[];
}

function givenClusters(partial: PartialAnalysis, options: ClusteringOptions): Clustering | undefined {
  const { clusters, similarity } = partial;
  if (clusters === undefined || options.clusters !== undefined || options.seed !== undefined)
    return undefined;
  if (clusters.length !== similarity.length) {
    throw new AnalysisError(
      `clusters has ${clusters.length} entries, but there are ${similarity.length} layers.`,
    );
  }
  let k = 0;
  for (const cluster of clusters) {
    if (cluster > k)
      throw new AnalysisError(`clusters has ${cluster} before ${k}: number them by first layer.`);
    if (cluster === k) k++;
  }
  if (partial.k !== undefined && partial.k !== k) {
    throw new AnalysisError(`k is ${partial.k}, but clusters names ${k} of them.`);
  }
  return { k, clusters };
}

function findClusters(
  partial: PartialAnalysis,
  score: number | null,
  asked: number | undefined,
  seed: number,
): Clustering {
  const { similarity } = partial;
  const k = asked ?? partial.k ?? clusterCount(score, similarity.length);
  checkClusters(k, similarity.length);
  return { k, clusters: clusterLayers(similarity, k, seed) };
}

/** @throws UsageError `CLUSTERS_INVALID` for a number of clusters that so many layers cannot be divided into */
export function checkClusters(clusters: number, layers: number): void {
  if (Number.isInteger(clusters) && clusters >= 1 && clusters <= layers) return;
  throw new UsageError(
    "CLUSTERS_INVALID",
    `${layers} layers cannot be divided into ${clusters} clusters: ask for a number between 1 and ${layers}.`,
  );
}

/** Spectral clustering of the layers; see native/core/spectral.h. */
function clusterLayers(similarity: SimilarityMatrix, k: number, seed: number): number[] {
  const n = similarity.length;
  const entries = new Float64Array(n * n);
  for (const [layer, row] of similarity.entries()) entries.set(row, layer * n);
  return Array.from(addon.spectralClusters(entries, n, k, seed));
}
