import { clusterMembers, layerRedundancy } from "../analysis/redundancy.ts";
import { meanAmong } from "../analysis/similarity.ts";
import { candidates } from "./constraints.ts";
import { type Proposals, takeProposals } from "./proposals.ts";
import type { Removal, SelectionInput, SelectionMethod } from "./types.ts";

/**
 * LoRP (arXiv 2605.27786). Within a cluster, layers are ordered once by their mean similarity to all other members.
 * Stage 1 takes one layer of each cluster, in the clusters' order. Stage 2 takes the next layer of the cluster whose
 * remaining members (the first and last layer included) resemble each other most, again and again.
 */
export const lorp: SelectionMethod = {
  name: "lorp",
  summary: "the most redundant layers of each cluster of similar layers, in two stages",
  source: "LoRP, arXiv 2605.27786",
  select: (input, budget) => takeProposals(input, budget, propose(input)),
};

interface Cluster {
  readonly number: number;
  /** Members that are not removed, protected ones included. */
  readonly remaining: Set<number>;
  /** Layers that can still be proposed, most redundant first. */
  readonly queue: { readonly layer: number; readonly redundancy: number | null }[];
}

function* propose(input: SelectionInput): Proposals {
  const clusters = rankClusters(input);
  for (const cluster of clusters) {
    while (cluster.queue.length > 0) {
      if (yield* offerNext(cluster, "stage-1", `the most redundant layer of cluster ${cluster.number}`))
        break;
    }
  }
  for (;;) {
    const open = clusters.filter(({ queue }) => queue.length > 0);
    const [first] = open;
    if (!first) return;
    const densest = open.reduce(
      (best, cluster) => {
        const density = coherence(input, cluster);
        return density > best.density ? { cluster, density } : best;
      },
      { cluster: first, density: Number.NEGATIVE_INFINITY },
    );
    const alike = Number.isFinite(densest.density)
      ? `, the most alike inside (${densest.density.toFixed(4)})`
      : "";
    const text = `the next most redundant layer of cluster ${densest.cluster.number}${alike}`;
    yield* offerNext(densest.cluster, "stage-2", text);
  }
}

/** Proposes the head of the cluster's queue; says whether it was taken. */
function* offerNext(cluster: Cluster, reason: string, text: string): Generator<Removal, boolean, boolean> {
  const next = cluster.queue.shift();
  if (!next) return false;
  const { layer, redundancy } = next;
  const measure =
    redundancy === null
      ? "it is alone there"
      : `mean similarity ${redundancy.toFixed(4)} to the others there`;
  const taken = yield {
    layer,
    reason,
    score: redundancy,
    cluster: cluster.number,
    text: `${text}: ${measure}`,
  };
  if (taken) cluster.remaining.delete(layer);
  return taken;
}

function rankClusters(input: SelectionInput): Cluster[] {
  const eligible = new Set(candidates(input.similarity.length));
  return clusterMembers(input.clusters, input.k).map((members, number) => ({
    number,
    remaining: new Set(members),
    // The sort is stable: of equals the lower index stays first.
    queue: members
      .filter((layer) => eligible.has(layer))
      .map((layer) => ({ layer, redundancy: layerRedundancy(input.similarity, layer, members) }))
      .sort((a, b) => (b.redundancy ?? 0) - (a.redundancy ?? 0)),
  }));
}

/** Mean similarity of the remaining members to each other; −∞ of fewer than two. */
function coherence({ similarity }: SelectionInput, { remaining }: Cluster): number {
  if (remaining.size < 2) return Number.NEGATIVE_INFINITY;
  return meanAmong(similarity, [...remaining]);
}
