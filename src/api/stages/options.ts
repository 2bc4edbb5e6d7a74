import type { RunOptions } from "../../model/model.ts";
import type { Progress } from "../../progress.ts";
import type { OptionNames } from "./option-names.ts";

/** What is kept in the user's cache folder from one run to the next. */
export interface CacheOptions {
  /** Keep what is measured of a model, and use what an earlier run kept; not by default. */
  readonly cache?: boolean | undefined;
  /** Go on from where an interrupted run stopped; with `cache` only. */
  readonly resume?: boolean | undefined;
}

export const CACHE_OPTIONS: OptionNames<CacheOptions> = { cache: true, resume: true };

/** How any function of the API that runs a model runs it. */
export interface ModelRunOptions extends RunOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export const RUN_OPTIONS: OptionNames<ModelRunOptions> = {
  gpu: true,
  rpc: true,
  gpuLayers: true,
  threads: true,
  maxMemory: true,
  signal: true,
  onNotice: true,
  onProgress: true,
};

/** What a removal is shown by. */
export interface SampleOptions {
  /** Let both models continue some prompts, and compare what they write; done by default. */
  readonly samples?: boolean | undefined;
}

export const SAMPLE_OPTIONS: OptionNames<SampleOptions> = { samples: true };

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

export const CALIBRATION_OPTIONS: OptionNames<CalibrationOptions> = {
  calibration: true,
  sequences: true,
  sequenceLength: true,
  bos: true,
};

export interface ClusterOptions {
  /** Force the number of clusters K. */
  readonly clusters?: number | undefined;
  /** Seed of the clustering, and of methods that draw. */
  readonly seed?: number | undefined;
}

export const CLUSTER_OPTIONS: OptionNames<ClusterOptions> = { clusters: true, seed: true };

/** How a pruned model is written. */
export interface WriteOptions extends Pick<ModelRunOptions, "gpu" | "rpc" | "threads"> {
  /** Where to write; beside the input under a name that says what was done, by default. */
  readonly output?: string | undefined;
  /**
   * What the name of the default output begins with; by default the input's path, or its name alone if a program keeps it.
   * @internal
   */
  readonly stem?: string | undefined;
  /** Replace an existing output. */
  readonly force?: boolean | undefined;
  /** Keep the parts of a split input instead of writing one file. */
  readonly keepSplit?: boolean | undefined;
  /** Divide the output into parts with at most this many bytes of tensors each. */
  readonly splitMaxSize?: number | undefined;
  /** Quantise what was cut to this type with llama.cpp's own llama_model_quantize; a name of llama-quantize. */
  readonly quantize?: string | undefined;
  /** Path of the model's importance matrix, from llama.cpp's llama-imatrix, for `quantize`. */
  readonly imatrix?: string | undefined;
  /** Types of single tensors for `quantize`: `PATTERN=TYPE`, the pattern a regular expression, the first that fits. */
  readonly tensorType?: readonly string[] | undefined;
  /** Let `quantize` quantise once more what is quantised already. */
  readonly allowRequantize?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export const WRITE_OPTIONS: OptionNames<WriteOptions> = {
  ...RUN_OPTIONS,
  output: true,
  stem: false,
  force: true,
  keepSplit: true,
  splitMaxSize: true,
  quantize: true,
  imatrix: true,
  tensorType: true,
  allowRequantize: true,
};
