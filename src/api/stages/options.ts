import type { RunOptions } from "../../model/model.ts";

/** How far a piece of long work has come. */
export interface Progress {
  readonly stage:
    | "download"
    | "load"
    | "capture"
    | "search"
    | "compensate"
    | "evaluate"
    | "write"
    | "quantize"
    | "diff";
  readonly done: number;
  readonly total: number;
  readonly unit: "tokens" | "bytes" | "seconds";
  /** How much of what is done an earlier run had done, so that it tells nothing about speed. */
  readonly known?: number | undefined;
  /** What else there is to tell, in a few words. */
  readonly note?: string | undefined;
}

/** What is kept in the user's cache folder from one run to the next. */
export interface CacheOptions {
  /** Keep what is measured of a model, and use what an earlier run kept; not by default. */
  readonly cache?: boolean | undefined;
  /** Go on from where an interrupted run stopped; with `cache` only. */
  readonly resume?: boolean | undefined;
}

/** How any function of the API that runs a model runs it. */
export interface ModelRunOptions extends RunOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What a removal is shown by. */
export interface SampleOptions {
  /** Let both models continue some prompts, and compare what they write; done by default. */
  readonly samples?: boolean | undefined;
}

/** The text that a model is measured on. */
export interface CalibrationOptions {
  /** Path of a text or `.jsonl` file; the package's own text by default. */
  readonly calibration?: string | undefined;
  /** Number of token sequences to analyse; until the answer has settled, at most 128, by default. */
  readonly sequences?: number | undefined;
  /** Tokens in a sequence; 512, or the model's own context if that is shorter, by default. */
  readonly sequenceLength?: number | undefined;
  /** Whether sequences begin with the model's BOS token where it wants one; by default they do. */
  readonly bos?: boolean | undefined;
}

export interface ClusterOptions {
  /** Force the number of clusters K. */
  readonly clusters?: number | undefined;
  /** Seed of the clustering, and of methods that draw. */
  readonly seed?: number | undefined;
}
