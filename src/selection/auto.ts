import { similarityOf } from "../analysis/similarity.ts";
import { candidates, ruleAgainst } from "./constraints.ts";
import { SelectionError } from "./errors.ts";
import { lorp } from "./lorp.ts";
import { requireLegalSize } from "./proposals.ts";
import { SELECTION_METHODS } from "./pure-methods.ts";
import { nextRemoval, sleb } from "./sleb.ts";
import { bestOf, meanLoss, type Proposal, requireBest, type Trial, type Trials } from "./trials.ts";
import type { MeasuredInput, MeasuredMethod, Removal, SelectionInput, SimilarityMatrix } from "./types.ts";

/** Sets measured by default beyond those that SLEB takes. */
const MORE_THAN_SLEB = 48;

/**
 * The choice by measurement: what every method that reads the Analysis would remove, LoRP with every given clustering
 * included, is measured to the end, and what SLEB finds too if the limits allow; then a local search swaps a removed
 * layer for a kept one, the most promising swaps first. Never worse than the best of those on the text it is measured on.
 */
export const auto: MeasuredMethod = {
  measures: true,
  name: "auto",
  summary: "the best of all methods' choices as measured, improved by swapping layers; recommended",
  source: "lorp",
  mostSets: (input, budget) => input.limits.evaluations ?? sleb.mostSets(input, budget) + MORE_THAN_SLEB,
  async select(input, budget, trials) {
    requireLegalSize(input, budget);
    const within = limitsOf(input, budget, trials);
    await trials.measureAll(proposals(input, budget));
    if (within(sleb.mostSets(input, budget))) await goGreedily(input, budget, trials, within);
    const started = requireBest(trials.all.filter(({ removed }) => removed.length === budget));
    const best = await improve(input, started, trials, within);
    const measured = trials.all.filter(({ removed }) => removed.length === budget).length;
    const loss = meanLoss(best);
    const text = `in the best of ${measured} sets measured, by ${best.proposedBy.join(", ")}: ${loss.toFixed(4)} nats a token (perplexity ${Math.exp(loss).toFixed(2)})`;
    return {
      removals: best.removed.map((layer) => ({ layer, reason: "measured-set", score: loss, text })),
      passedOver: [],
    };
  },
};

/** Whether so many more sets may be measured. */
type Within = (sets: number) => boolean;

function limitsOf(input: MeasuredInput, budget: number, trials: Trials): Within {
  const most = auto.mostSets(input, budget);
  const { seconds = Number.POSITIVE_INFINITY } = input.limits;
  const began = performance.now();
  return (sets) => trials.all.length + sets <= most && performance.now() - began < 1000 * seconds;
}

/** SLEB's steps, as long as there is time; the last one measures sets of the budget's size. */
async function goGreedily(input: MeasuredInput, budget: number, trials: Trials, within: Within) {
  const removals: Removal[] = [];
  while (removals.length < budget && within(1)) {
    removals.push((await nextRemoval(input, budget, removals, trials)).removal);
  }
}

/** What the methods that read the Analysis would remove; those that find nothing legal propose nothing. */
function proposals(input: MeasuredInput, budget: number): Proposal[] {
  const inputs = [
    ...SELECTION_METHODS.map((method) => ({ method, given: input as SelectionInput, by: method.name })),
    ...input.clusterings.map((clustering) => ({
      method: lorp,
      given: { ...input, ...clustering },
      by: `lorp with ${clustering.k} clusters`,
    })),
  ];
  return inputs.flatMap(({ method, given, by }) => {
    try {
      return [{ removed: method.select(given, budget).removals.map(({ layer }) => layer), by }];
    } catch (error) {
      if (error instanceof SelectionError) return [];
      throw error;
    }
  });
}

/** Swaps that race each other at a time. */
const SWAPS_AT_A_TIME = 8;

/** Takes the best of the most promising swaps where it improves on the best set, until none does or a limit is reached. */
async function improve(input: MeasuredInput, start: Trial, trials: Trials, within: Within): Promise<Trial> {
  const tried = new Set(trials.all.map(({ removed }) => removed.join()));
  let best = start;
  let swaps = swapsOf(input, best.removed);
  while (swaps.length > 0 && within(1)) {
    swaps = swaps.filter(({ removed }) => !tried.has(removed.join()));
    const next = swaps.splice(0, SWAPS_AT_A_TIME).filter((_, index) => within(index + 1));
    for (const { removed } of next) tried.add(removed.join());
    const better = bestOf(await trials.race(next, { rival: best }));
    if (!better || meanLoss(better) >= meanLoss(best)) continue;
    best = better;
    swaps = swapsOf(input, best.removed);
  }
  return best;
}

/** Every legal set that differs in one layer, the most promising by S first. */
function swapsOf({ constraints, similarity }: MeasuredInput, removed: readonly number[]): Proposal[] {
  const kept = candidates(similarity.length).filter((layer) => !removed.includes(layer));
  return removed
    .flatMap((out) => kept.map((layer) => ({ out, layer })))
    .map(({ out, layer }) => ({
      removed: [...removed.filter((one) => one !== out), layer].sort((a, b) => a - b),
      by: `swap of ${out} for ${layer}`,
    }))
    .filter(
      (swap) => ruleAgainst(constraints, similarity.length, new Set(swap.removed), removed.length) === null,
    )
    .map((swap) => ({ ...swap, change: changeWithout(similarity, swap.removed) }))
    .sort((a, b) => a.change - b.change);
}

/**
 * How much the removed layers change their input by S: the sum of 1 − S[start][end + 1] over the runs of neighbours.
 * @param removed ascending
 */
function changeWithout(similarity: SimilarityMatrix, removed: readonly number[]): number {
  let change = 0;
  let start: number | undefined;
  for (const [index, layer] of removed.entries()) {
    start ??= layer;
    if (removed[index + 1] === layer + 1) continue;
    change += 1 - similarityOf(similarity, start, layer + 1);
    start = undefined;
  }
  return change;
}
