import { type Estimate, estimate } from "../statistics.ts";
import { SelectionError } from "./errors.ts";

/** What measured methods ask of a model: its losses on sequences that the analysis has not seen. */
export interface LossSource {
  /** Number of sequences; all are equally long. */
  readonly sequences: number;
  /** How many sequences are best asked for at the same time. */
  readonly atOnce: number;
  /**
   * Negative log-likelihoods of the tokens of one sequence, nats, with layers made the identity.
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
  /**
   * Measures a set on one sequence after the other.
   * @param bar measuring ends once the set is certainly above it
   */
  measure(removed: readonly number[], proposedBy: string, bar?: Bar): Promise<Trial>;
  /** Measures sets on all sequences. @returns their trials, in their order */
  measureAll(proposals: readonly Proposal[]): Promise<Trial[]>;
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
 * Mean loss of a trial's tokens, nats; its perplexity is exp of it. Infinity, the worst there is, where the model computes
 * no numbers without these layers.
 */
export function meanLoss({ losses }: Trial): number {
  const mean = joinedMean(losses);
  return Number.isFinite(mean) ? mean : Number.POSITIVE_INFINITY;
}

/** Whether the model computes numbers without these layers. */
export function isMeasurable(trial: Trial): boolean {
  return trial.losses.length === 0 || Number.isFinite(meanLoss(trial));
}

/** Loss of `trial` − loss of `rival`, nats a token, on the sequences that both were measured on; over sequences. */
export function lossDifference(trial: Trial, rival: Trial): Estimate {
  return estimate(pairs(trial, rival).map(([mine, other]) => joinedMean([mine]) - joinedMean([other])));
}

/** @param onTrial hears the number of sets measured, each time that there is one more */
export function createTrials(source: LossSource, onTrial?: (count: number) => void): Trials {
  const trials = new Map<string, OpenTrial>();
  const enter = ({ removed: layers, by }: Proposal): OpenTrial => {
    const removed = layers.toSorted((a, b) => a - b);
    const key = removed.join();
    let trial = trials.get(key);
    if (!trial) {
      trial = { removed, proposedBy: [], losses: [], complete: false };
      trials.set(key, trial);
      onTrial?.(trials.size);
    }
    if (!trial.proposedBy.includes(by)) trial.proposedBy = [...trial.proposedBy, by];
    return trial;
  };
  const run = async (
    proposals: readonly Proposal[],
    stay: (racing: readonly OpenTrial[]) => readonly OpenTrial[],
    bar?: Bar,
  ): Promise<Trial[]> => {
    const entered = proposals.map(enter);
    // Neighbours in this order share the most blocks before the first that differs, which need not be run twice.
    let racing: readonly OpenTrial[] = [...new Set(entered)]
      .filter((trial) => !(bar && isAbove(trial, bar)))
      .sort(byLayers);
    for (let sequence = 0; sequence < source.sequences && racing.length > 0; ) {
      const ahead = Math.max(1, Math.floor(source.atOnce / racing.length));
      const next = indices(sequence, Math.min(sequence + ahead, source.sequences));
      const results = await Promise.all(racing.map((trial) => lossesOf(source, trial, next)));
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
    run(proposals, (racing) => worthGoingOn(racing, bar), bar);
  return {
    get all() {
      return [...trials.values()];
    },
    measure: async (removed, by, bar) => (await race([{ removed, by }], bar))[0]!,
    measureAll: (proposals) => run(proposals, (racing) => racing),
    race,
  };
}

type OpenTrial = { -readonly [Key in keyof Trial]: Trial[Key] };

function lossesOf(source: LossSource, { removed, losses }: Trial, sequences: readonly number[]) {
  return Promise.all(
    sequences.map(async (sequence) => losses[sequence] ?? (await source.losses(removed, sequence))),
  );
}

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
