import { type Estimate, estimate } from "../statistics.ts";

/** What measured methods ask of a model: its losses on sequences that the analysis has not seen. */
export interface LossSource {
  /** Number of sequences; all are equally long. */
  readonly sequences: number;
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

/** Measures sets of layers, each once. */
export interface Trials {
  /** In the order of measurement. */
  readonly all: readonly Trial[];
  /**
   * Measures a set on one sequence after the other.
   * @param bar measuring ends once the set is certainly above it
   */
  measure(removed: readonly number[], proposedBy: string, bar?: Bar): Promise<Trial>;
}

/**
 * What a set has to come up to: the loss of a complete trial, `margin` nats a token more allowed. It certainly does not
 * once the mean paired difference of token losses is beyond that by two standard errors.
 */
export interface Bar {
  readonly rival: Trial;
  readonly margin?: number;
}

/** Mean loss of a trial's tokens, nats; its perplexity is exp of it. */
export function meanLoss({ losses }: Trial): number {
  return joinedMean(losses);
}

/** Loss of `trial` − loss of `rival`, nats a token, on the sequences that both were measured on; over sequences. */
export function lossDifference(trial: Trial, rival: Trial): Estimate {
  return estimate(pairs(trial, rival).map(([mine, other]) => joinedMean([mine]) - joinedMean([other])));
}

/** @param onTrial hears the number of sets measured, each time that there is one more */
export function createTrials(source: LossSource, onTrial?: (count: number) => void): Trials {
  const trials = new Map<string, { -readonly [Key in keyof Trial]: Trial[Key] }>();
  return {
    get all() {
      return [...trials.values()];
    },
    async measure(layers, proposedBy, bar) {
      const removed = layers.toSorted((a, b) => a - b);
      const key = removed.join();
      let trial = trials.get(key);
      if (!trial) {
        trial = { removed, proposedBy: [], losses: [], complete: false };
        trials.set(key, trial);
        onTrial?.(trials.size);
      }
      if (!trial.proposedBy.includes(proposedBy)) trial.proposedBy = [...trial.proposedBy, proposedBy];
      while (!trial.complete && !(bar && isAbove(trial, bar))) {
        trial.losses = [...trial.losses, await source.losses(removed, trial.losses.length)];
        trial.complete = trial.losses.length === source.sequences;
      }
      return trial;
    },
  };
}

/** Of complete trials that of the lowest loss; of equals the first. */
export function bestOf(trials: readonly Trial[]): Trial | undefined {
  const complete = trials.filter((trial) => trial.complete);
  return complete.reduce((best, trial) => (meanLoss(trial) < meanLoss(best) ? trial : best), complete[0]!) as
    | Trial
    | undefined;
}

function isAbove(trial: Trial, { rival, margin = 0 }: Bar): boolean {
  const differences = pairs(trial, rival).flatMap(([mine, other]) =>
    Array.from(mine, (loss, token) => loss - other[token]!),
  );
  const { mean, standardError } = estimate(differences);
  return standardError !== null && mean - margin > 2 * standardError;
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
