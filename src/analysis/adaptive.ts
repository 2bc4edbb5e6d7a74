import type { SimilarityMatrix } from "../documents/analysis.ts";
import { estimate } from "../statistics.ts";
import { type SequenceSums, weightedSimilarity } from "./capture.ts";
import { LOCALITY_RANGES } from "./locality.ts";

/** Fewer sequences than this say nothing of how much sequences differ. */
const FEWEST_SEQUENCES = 4;

/** The share of resamples that must give the same layers. */
const AGREEMENT = 0.95;

/** How many standard errors the locality score must be away from where the number of clusters changes. */
const MARGIN = 2;

const RESAMPLES = 200;

/** What a similarity matrix leads to. */
export interface Answer {
  readonly rls: number | null;
  readonly k: number;
  readonly clusters: readonly number[];
  /** Ascending. */
  readonly removed: readonly number[];
}

/** How sure an answer is, judged by how much the sequences differ. */
export interface Assessment {
  readonly rlsStandardError: number;
  /** The largest standard error of an entry of the similarity matrix. */
  readonly entryStandardError: number;
  /** The shares of resamples with the same number of clusters, the same clusters and the same removed layers. */
  readonly agreement: { readonly k: number; readonly clusters: number; readonly layers: number };
  /** Other sets of layers that resamples led to and their shares, the most frequent first. */
  readonly alternatives: readonly { readonly removedLayers: readonly number[]; readonly share: number }[];
  /** Whether the sequences that are left are unlikely to change the removed layers. */
  readonly settled: boolean;
}

export interface AssessmentOptions {
  /** What the measurements are for. */
  readonly decide: (similarity: SimilarityMatrix) => Answer;
  /** Whether the number of clusters follows from the locality score. */
  readonly clustersFollowRls: boolean;
  /** Numbers in [0, 1). */
  readonly random: () => number;
}

export interface AssessmentScope {
  /** How many sequences there are in all, run or not; without end by default, to judge what other texts would say. */
  readonly outOf?: number | undefined;
  /** Stop drawing once the answer is known not to be settled; the shares are then rough. */
  readonly hurry?: boolean | undefined;
}

/**
 * Whether to look at the answer after that many sequences: after each of the first few, then each time there is an
 * eighth more, so that looking costs a share of measuring that does not grow.
 */
export function isCheckpoint(sequences: number): boolean {
  return sequences >= FEWEST_SEQUENCES && sequences % Math.ceil(sequences / 8) === 0;
}

/**
 * Standard errors over sequences, and the answers of resampled sequences (Efron's bootstrap, 1979).
 * What is drawn are the answers of all `outOf` sequences, of which n are known: they vary as a mean of n does, times
 * √(1 − n/outOf).
 * @param measured two sequences at least
 */
export function assess(
  measured: readonly SequenceSums[],
  { decide, clustersFollowRls, random }: AssessmentOptions,
  { outOf = Number.POSITIVE_INFINITY, hurry = false }: AssessmentScope = {},
): Assessment {
  const n = measured.length;
  const left = Math.sqrt(1 - n / outOf);
  const patience = hurry ? RESAMPLES - Math.ceil(AGREEMENT * RESAMPLES) : RESAMPLES;
  const answer = decide(weightedSimilarity(measured, new Array(n).fill(1)));
  const rlsStandardError = localityError(measured) * left;
  const counts = { k: 0, clusters: 0, layers: 0 };
  const others = new Map<string, { readonly removedLayers: readonly number[]; count: number }>();
  let drawn = 0;
  while (drawn < RESAMPLES && drawn - counts.layers <= patience) {
    const resampled = decide(weightedSimilarity(measured, resample(n, left, random)));
    drawn++;
    if (resampled.k === answer.k) counts.k++;
    if (same(resampled.clusters, answer.clusters)) counts.clusters++;
    if (same(resampled.removed, answer.removed)) counts.layers++;
    else {
      const key = resampled.removed.join();
      const other = others.get(key) ?? { removedLayers: resampled.removed, count: 0 };
      other.count++;
      others.set(key, other);
    }
  }
  const clear =
    !clustersFollowRls ||
    answer.rls === null ||
    LOCALITY_RANGES.every(({ to }) => Math.abs(answer.rls! - to) >= MARGIN * rlsStandardError);
  return {
    rlsStandardError,
    entryStandardError: largestEntryError(measured) * left,
    agreement: { k: counts.k / drawn, clusters: counts.clusters / drawn, layers: counts.layers / drawn },
    alternatives: [...others.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ removedLayers, count }) => ({ removedLayers, share: count / drawn })),
    settled: n >= FEWEST_SEQUENCES && clear && counts.layers >= AGREEMENT * RESAMPLES,
  };
}

/**
 * Weights of n sequences drawn n times with replacement, spread out about 1: by √(n/(n−1)), since a resample of n
 * varies less than n new sequences would, and by `left`.
 */
function resample(n: number, left: number, random: () => number): number[] {
  const weights = new Array<number>(n).fill(0);
  for (let i = 0; i < n; i++) weights[Math.floor(random() * n)]! += 1;
  const spread = Math.sqrt(n / (n - 1)) * left;
  return weights.map((weight) => 1 + spread * (weight - 1));
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** Standard error of −log₂ of the mean above the diagonal (the delta method). */
function localityError(measured: readonly SequenceSums[]): number {
  const means = measured.map(({ sums, tokens }) => {
    const layers = Math.sqrt(sums.length);
    return sums.reduce((sum, value) => sum + value, 0) / tokens / ((layers * (layers - 1)) / 2);
  });
  const { mean, standardError } = estimate(means);
  return (standardError ?? Number.POSITIVE_INFINITY) / (Math.abs(mean) * Math.LN2);
}

function largestEntryError(measured: readonly SequenceSums[]): number {
  const size = measured[0]?.sums.length ?? 0;
  let largest = 0;
  for (let entry = 0; entry < size; entry++) {
    const { standardError } = estimate(measured.map(({ sums, tokens }) => sums[entry]! / tokens));
    largest = Math.max(largest, standardError ?? Number.POSITIVE_INFINITY);
  }
  return largest;
}
