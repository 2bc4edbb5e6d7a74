import type { RunOptions } from "../model/model.ts";

/** How far a piece of long work has come. */
export interface Progress {
  readonly stage: "load" | "capture" | "evaluate" | "write";
  readonly done: number;
  readonly total: number;
  readonly unit: "tokens" | "bytes";
}

/** How any function of the API that runs a model runs it. */
export interface ModelRunOptions extends RunOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** The text that a model is measured on. */
export interface CalibrationOptions {
  /** Path of a text or `.jsonl` file; the package's own text by default. */
  readonly calibration?: string | undefined;
  /** Number of token sequences to analyse. */
  readonly sequences?: number | undefined;
  /** Tokens in a sequence; 512, or the model's own context if that is shorter, by default. */
  readonly sequenceLength?: number | undefined;
}

export interface ClusterOptions {
  /** Force the number of clusters K. */
  readonly clusters?: number | undefined;
  /** Seed of the clustering, and of methods that draw. */
  readonly seed?: number | undefined;
}
