import type { Objective } from "../objectives.ts";
import { type Estimate, estimate } from "../statistics.ts";
import { SelectionError } from "./errors.ts";

/** What measured methods ask of a model: its losses on sequences that the analysis has not seen. */
export interface LossSource {
  readonly objective: Objective;
  readonly sequences: number;
  /** Tokens that one of them takes. */
  tokens(sequence: number): number;
  /** Whether these losses are known already. */
  isKnown(removed: readonly number[], sequence: number): boolean;
  /** How many sequences are best asked for at the same time. */
  readonly atOnce: number;
  /**
   * Losses of the tokens (of the items of a task) of one sequence by the objective, with layers made the identity: KL divergence from the model
   * as it is, nats; negative log-likelihood, nats; of a task's items by how much the likeliest wrong choice is likelier
   * than the right one, nats.
   * @throws RuntimeError, AbortedError
   */
  losses(removed: readonly number[], sequence: number): Promise<Float64Array>;
}

/** A set of layers whose removal was measured, on all sequences or until it was hopeless. */
export interface Trial {
  /** Ascending; none for the model as it is. */
  readonly removed: readonly number[];
  /** What proposed it, in the order of proposal. */
  readonly proposedBy: readonly string[];
  /** Token losses of the sequences measured, from the first on. */
  readonly losses: readonly Float64Array[];
  /** Whether every sequence was measured. */
  readonly complete: boolean;
}

/** A set of layers to measure. */
export interface Proposal {
  readonly removed: readonly number[];
  /** What proposes it. */
  readonly by: string;
}

/** Sequences on which nothing is given up yet. */
const FEWEST_SEQUENCES = 3;

/** Measures sets of layers, each once. What is found does not depend on how many sequences run at the same time. */
export interface Trials {
  /** In the order of measurement. */
  readonly all: readonly Trial[];
  readonly objective: Objective;
  /**
   * What has been run for them: tokens, each counted as the share of the layers from the first removed one on, since
   * what comes before is run once for many sets.
   */
  readonly work: number;
  /** How much of that an earlier run had done. */
  readonly known: number;
  /**
   * Measures a set on one sequence after the other.
   * @param bar measuring ends once the set is certainly above it
   */
  measure(removed: readonly number[], proposedBy: string, bar?: Bar): Promise<Trial>;
  /** Measures sets on all sequences. @returns their trials, in their order */
  measureAll(proposals: readonly Proposal[]): Promise<Trial[]>;
  /** Measures sets on the first few sequences only. @returns their trials, in their order */
  screen(proposals: readonly Proposal[], sequences: number): Promise<Trial[]>;
  /**
   * Measures sets side by side, on one sequence after the other, and gives up those that are certainly above the best
   * of them so far, or above the bar.
   * @returns the sets' trials, in their order; unless there is a bar, at least one is complete
   */
  race(proposals: readonly Proposal[], bar?: Bar): Promise<Trial[]>;
}

/**
 * What a set has to come up to: the loss of another trial, `margin` nats a token more allowed. It certainly does not
 * once the mean paired difference is beyond that by two standard errors over sequences. Tokens of one sequence are no
 * ground to judge by: what a layer is needed for differs from one kind of text to another.
 */
export interface Bar {
  readonly rival: Trial;
  readonly margin?: number;
}

/**
 * Mean loss of a trial's tokens, nats. Infinity, the worst there is, where the model computes no numbers without these
 * layers.
 */
export function meanLoss({ losses }: Pick<Trial, "losses">): number {
  const mean = joinedMean(losses);
  return Number.isFinite(mean) ? mean : Number.POSITIVE_INFINITY;
}

/** Whether the model computes numbers without these layers. */
export function isMeasurable(trial: Trial): boolean {
  return trial.losses.length === 0 || Number.isFinite(meanLoss(trial));
}

/** The mean loss for people. */
export function describeLoss({ objective }: Pick<Trials, "objective">, trial: Trial): string {
  const loss = meanLoss(trial);
  if (objective === "kl") return `KL divergence ${loss.toFixed(4)} nats a token`;
  if (objective === "task") return `the right choice likelier by ${(-loss).toFixed(4)} nats`;
  return `${loss.toFixed(4)} nats a token (perplexity ${Math.exp(loss).toFixed(2)})`;
}

/** Loss of `trial` − loss of `rival`, nats a token, on the sequences that both were measured on; over sequences. */
export function lossDifference(trial: Trial, rival: Trial): Estimate {
  return estimate(pairs(trial, rival).map(([mine, other]) => joinedMean([mine]) - joinedMean([other])));
}

/**
 * @param layers of the model
 * @param onWork hears of each sequence that was run
 */
export function createTrials(source: LossSource, layers: number, onWork?: (trials: Trials) => void): Trials {
  const trials = new Map<string, OpenTrial>();
  let work = 0;
  let known = 0;
  const lossesOf = async (removed: readonly number[], sequence: number): Promise<Float64Array> => {
    const share = source.tokens(sequence) * (1 - (removed[0] ?? 0) / layers);
    work += share;
    if (source.isKnown(removed, sequence)) known += share;
    const losses = await source.losses(removed, sequence);
    onWork?.(self);
    return losses;
  };
  const enter = ({ removed: layers, by }: Proposal): OpenTrial => {
    const removed = layers.toSorted((a, b) => a - b);
    const key = removed.join();
    let trial = trials.get(key);
    if (!trial) {
      trial = { removed, proposedBy: [], losses: [], complete: false };
      trials.set(key, trial);
    }
    if (!trial.proposedBy.includes(by)) trial.proposedBy = [...trial.proposedBy, by];
    return trial;
  };
  const run = async (
    proposals: readonly Proposal[],
    stay: (racing: readonly OpenTrial[]) => readonly OpenTrial[],
    { bar, upTo = source.sequences }: { readonly bar?: Bar | undefined; readonly upTo?: number } = {},
  ): Promise<Trial[]> => {
    const entered = proposals.map(enter);
    // Neighbours in this order share the most layers before the first that differs, which need not be run twice.
    let racing: readonly OpenTrial[] = [...new Set(entered)]
      .filter((trial) => !(bar && isAbove(trial, bar)))
      .sort(byLayers);
    for (let sequence = 0; sequence < upTo && racing.length > 0; ) {
      const ahead = Math.max(1, Math.floor(source.atOnce / racing.length));
      const next = indices(sequence, Math.min(sequence + ahead, upTo));
      const results = await Promise.all(
        racing.map(({ removed, losses }) =>
          Promise.all(next.map(async (one) => losses[one] ?? (await lossesOf(removed, one)))),
        ),
      );
      const losses = new Map(racing.map((trial, index) => [trial, results[index]!]));
      for (let step = 0; step < next.length; step++, sequence++) {
        for (const trial of racing) {
          if (trial.losses.length === sequence) trial.losses = [...trial.losses, losses.get(trial)![step]!];
          trial.complete = trial.losses.length === source.sequences;
        }
        racing = stay(racing);
      }
    }
    return entered;
  };
  const race = (proposals: readonly Proposal[], bar?: Bar) =>
    run(proposals, (racing) => worthGoingOn(racing, bar), { bar });
  const self: Trials = {
    get all() {
      return [...trials.values()];
    },
    objective: source.objective,
    get work() {
      return work;
    },
    get known() {
      return known;
    },
    measure: async (removed, by, bar) => (await race([{ removed, by }], bar))[0]!,
    measureAll: (proposals) => run(proposals, (racing) => racing),
    screen: (proposals, sequences) =>
      run(proposals, (racing) => racing, { upTo: Math.min(sequences, source.sequences) }),
    race,
  };
  return self;
}

type OpenTrial = { -readonly [Key in keyof Trial]: Trial[Key] };

/** In the order of the first layer that only one of them removes. */
function byLayers(a: Trial, b: Trial): number {
  const index = a.removed.findIndex((layer, place) => layer !== b.removed[place]);
  if (index === -1) return a.removed.length - b.removed.length;
  return a.removed[index]! - (b.removed[index] ?? -1);
}

/** Those that are not certainly above the best of them, or above the bar. */
function worthGoingOn<One extends Trial>(racing: readonly One[], bar?: Bar): One[] {
  const best = lowest(racing);
  return racing.filter(
    (trial) => !(trial !== best && isAbove(trial, { rival: best! })) && !(bar && isAbove(trial, bar)),
  );
}

/** from, from + 1, … to − 1 */
function indices(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Of complete trials with numbers that of the lowest loss; of equals the first. */
export function bestOf(trials: readonly Trial[]): Trial | undefined {
  return lowest(trials.filter((trial) => trial.complete && isMeasurable(trial)));
}

/** As `bestOf`. @throws SelectionError where there is none */
export function requireBest(trials: readonly Trial[]): Trial {
  const best = bestOf(trials);
  if (best) return best;
  throw new SelectionError(
    "Whichever layers go, the model computes no numbers (NaN) without them; remove fewer, or choose by a method that does not measure.",
  );
}

/** The trial of the lowest loss; of equals the first. */
function lowest(trials: readonly Trial[]): Trial | undefined {
  return trials.toSorted(byLoss)[0];
}

/** The lowest loss first. */
export function byLoss(a: Trial, b: Trial): number {
  const [mine, other] = [meanLoss(a), meanLoss(b)];
  return mine === other ? 0 : mine - other;
}

function isAbove(trial: Trial, { rival, margin = 0 }: Bar): boolean {
  if (!isMeasurable(trial)) return isMeasurable(rival);
  if (Math.min(trial.losses.length, rival.losses.length) < FEWEST_SEQUENCES) return false;
  const { mean, standardError } = lossDifference(trial, rival);
  return mean - margin > 2 * standardError!;
}

function pairs(trial: Trial, rival: Trial): [Float64Array, Float64Array][] {
  const shared = Math.min(trial.losses.length, rival.losses.length);
  return trial.losses.slice(0, shared).map((losses, index) => [losses, rival.losses[index]!]);
}

function joinedMean(parts: readonly Float64Array[]): number {
  let sum = 0;
  let count = 0;
  for (const part of parts) {
    for (const value of part) sum += value;
    count += part.length;
  }
  return sum / count;
}
