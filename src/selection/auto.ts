import { similarityOf } from "../analysis/similarity.ts";
import { candidates, ruleAgainst } from "./constraints.ts";
import { SelectionError } from "./errors.ts";
import { lorp } from "./lorp.ts";
import { requireLegalSize } from "./proposals.ts";
import { SELECTION_METHODS } from "./pure-methods.ts";
import { promisingSets, Surrogate } from "./surrogate.ts";
import {
  bestOf,
  describeLoss,
  meanLoss,
  type Proposal,
  requireBest,
  type Trial,
  type Trials,
} from "./trials.ts";
import type { MeasuredInput, MeasuredMethod, SelectionInput } from "./types.ts";

/** Sequences on which each layer alone is measured. */
const SEQUENCES_ALONE = 4;

/** Sets that race each other at a time. */
const AT_A_TIME = 8;

/**
 * The choice by measurement, and the default: what every method that reads the Analysis would remove, LoRP with every
 * given clustering included, is measured; then each layer alone, from which a surrogate tells which other sets are worth
 * it, contiguous runs among them; then a local search swaps a removed layer for a kept one, the most promising swaps
 * first, until none helps or the work is used up. Never worse than the methods' own choices on the text it is measured on.
 */
export const auto: MeasuredMethod = {
  measures: true,
  name: "auto",
  summary:
    "the best as measured of all methods' choices, promising sets and runs, and sets near them; the default",
  source: "lorp",
  mostTokens: ({ limits: { evaluations, work = Number.POSITIVE_INFINITY } }, _, complete) =>
    Math.min(work, (evaluations ?? Number.POSITIVE_INFINITY) * complete),
  async select(input, budget, trials) {
    requireLegalSize(input, budget);
    const within = limitsOf(input, trials);
    await trials.race(proposals(input, budget));
    const surrogate = await measureAlone(input, budget, trials, within.more);
    const promising = promisingSets(input, budget, surrogate).map((removed) => ({
      removed,
      by: "what its layers cost alone",
    }));
    await raceInTurn(promising, trials, budget, within.more, 2);
    const best = await improve(input, budget, surrogate, trials, within.more);
    const measured = trials.all.filter(({ removed }) => removed.length === budget).length;
    const text = `in the best of ${measured} sets measured, by ${best.proposedBy.join(", ")}: ${describeLoss(trials, best)}`;
    const score = meanLoss(best);
    return {
      removals: best.removed.map((layer) => ({ layer, reason: "measured-set", score, text })),
      passedOver: [],
      isCut: within.isCut(),
    };
  },
};

/** Whether so many more sets may be measured. */
type Within = (sets: number) => boolean;

interface Limits {
  readonly more: Within;
  /** Whether it ever said no. */
  isCut(): boolean;
}

function limitsOf({ limits }: MeasuredInput, trials: Trials): Limits {
  const { evaluations: most = Number.POSITIVE_INFINITY, seconds, work = Number.POSITIVE_INFINITY } = limits;
  const began = performance.now();
  const before = { sets: trials.all.length, work: trials.work };
  // Seconds replace the usual bound of work: whoever gives them wants what can be found in that time.
  const goesOn =
    seconds === undefined
      ? () => trials.work - before.work < work
      : () => performance.now() - began < 1000 * seconds;
  let cut = false;
  return {
    more(sets) {
      const isWithin = trials.all.length - before.sets + sets <= most && goesOn();
      cut ||= !isWithin;
      return isWithin;
    },
    isCut: () => cut,
  };
}

/** What methods that read the Analysis would remove; those that find nothing legal propose nothing. */
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

/** What each layer costs alone; where that may not be measured, how much it changes its input. */
async function measureAlone(
  { similarity, constraints }: MeasuredInput,
  budget: number,
  trials: Trials,
  within: Within,
): Promise<Surrogate> {
  const alone = similarity.map((_, layer) =>
    layer + 1 < similarity.length ? 1 - similarityOf(similarity, layer, layer + 1) : 1,
  );
  const fixed = new Set(constraints.fixed.map(({ layer }) => layer));
  const single = candidates(similarity.length)
    .filter((layer) => !fixed.has(layer))
    .map((layer) => ({ removed: [layer], by: "each layer alone" }));
  if (budget > 1 && within(single.length)) {
    for (const { removed, losses } of await trials.screen(single, SEQUENCES_ALONE)) {
      alone[removed[0]!] = meanLoss({ losses: losses.slice(0, SEQUENCES_ALONE) });
    }
    const before = await lossAsItIs(trials);
    for (const { removed } of single) alone[removed[0]!] = Math.max(1e-6, alone[removed[0]!]! - before);
  }
  return new Surrogate(similarity, alone);
}

/** On the first few sequences; a divergence from the model as it is begins at 0. */
async function lossAsItIs(trials: Trials): Promise<number> {
  if (trials.objective === "kl") return 0;
  const [original] = await trials.screen([{ removed: [], by: "the model as it is" }], SEQUENCES_ALONE);
  return meanLoss({ losses: original!.losses.slice(0, SEQUENCES_ALONE) });
}

const best = (trials: Trials, budget: number) =>
  requireBest(trials.all.filter(({ removed }) => removed.length === budget));

/** Races sets a few at a time, until the last `patience` rounds brought none that is better. */
async function raceInTurn(
  proposed: readonly Proposal[],
  trials: Trials,
  budget: number,
  within: Within,
  patience: number,
): Promise<void> {
  for (let from = 0, idle = 0; from < proposed.length && idle < patience && within(1); from += AT_A_TIME) {
    const rival = best(trials, budget);
    const next = proposed.slice(from, from + AT_A_TIME).filter((_, index) => within(index + 1));
    await trials.race(next, { rival });
    idle = best(trials, budget) === rival ? idle + 1 : 0;
  }
}

/** Takes the best of the most promising swaps where it improves on the best set, until none does or a limit is reached. */
async function improve(
  input: MeasuredInput,
  budget: number,
  surrogate: Surrogate,
  trials: Trials,
  within: Within,
): Promise<Trial> {
  const tried = new Set(trials.all.map(({ removed }) => removed.join()));
  let current = best(trials, budget);
  let swaps = swapsOf(input, current.removed, surrogate);
  while (swaps.length > 0 && within(1)) {
    swaps = swaps.filter(({ removed }) => !tried.has(removed.join()));
    const next = swaps.splice(0, AT_A_TIME).filter((_, index) => within(index + 1));
    for (const { removed } of next) tried.add(removed.join());
    const better = bestOf(await trials.race(next, { rival: current }));
    if (!better || meanLoss(better) >= meanLoss(current)) continue;
    current = better;
    swaps = swapsOf(input, current.removed, surrogate);
  }
  return current;
}

/** Every legal set that differs in one layer (a run moved on by one is such a set); the most promising first. */
function swapsOf(
  { constraints, similarity }: MeasuredInput,
  removed: readonly number[],
  surrogate: Surrogate,
): Proposal[] {
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
    .map((swap) => ({ ...swap, cost: surrogate.cost(swap.removed) }))
    .sort((a, b) => a.cost - b.cost);
}
