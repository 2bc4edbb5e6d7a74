import { UsageError } from "../errors.ts";
import { PROTOCOLS } from "../evaluation/windows.ts";
import { GPU_CHOICES } from "../model/gpu.ts";
import { didYouMean } from "../nearest.ts";
import { OBJECTIVES } from "../objectives.ts";
import { REPAIR_CHOICES } from "../repair/kinds.ts";
import type { OptionNames } from "./stages/option-names.ts";
import type { CacheOptions } from "./stages/options.ts";

/** Whole numbers among the options of the functions that run a model: the least and the most of each. */
const BOUNDS = {
  clusters: [1, Number.MAX_SAFE_INTEGER],
  evaluations: [1, Number.MAX_SAFE_INTEGER],
  gpuLayers: [0, Number.MAX_SAFE_INTEGER],
  maxMemory: [1, Number.MAX_SAFE_INTEGER],
  seed: [0, Number.MAX_SAFE_INTEGER],
  sequenceLength: [2, Number.MAX_SAFE_INTEGER],
  sequences: [1, Number.MAX_SAFE_INTEGER],
  textSequences: [1, Number.MAX_SAFE_INTEGER],
  // GGML_MAX_N_THREADS of ggml.h.
  threads: [1, 512],
} as const;

/** The values that options with names for values can have. */
const CHOICES = {
  gpu: GPU_CHOICES,
  objective: OBJECTIVES,
  protocol: PROTOCOLS,
  repair: REPAIR_CHOICES,
} as const;

type Numbers = { readonly [Name in keyof typeof BOUNDS]?: number | undefined };

type Names = { readonly [Name in keyof typeof CHOICES]?: string | undefined };

/**
 * Refuses what no run could mean, before any work is done.
 * @param names of all options that there are
 * @throws UsageError `OPTION_INVALID`
 */
export function checkOptions<Options extends Numbers & Names & CacheOptions>(
  options: Options,
  names: OptionNames<Options>,
): void {
  checkNames(options, names);
  if (options.resume && !options.cache) {
    throw new UsageError(
      "OPTION_INVALID",
      "An interrupted measurement is in the cache, so `resume` needs the cache: turn it on, or leave `resume` out.",
    );
  }
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = options[name as keyof Names];
    if (value === undefined || choices.some((choice) => choice === value)) continue;
    throw new UsageError(
      "OPTION_INVALID",
      `\`${name}\` is ${value}, but must be one of ${choices.join(", ")}.`,
    );
  }
  for (const [name, [least, most]] of Object.entries(BOUNDS)) {
    const value = options[name as keyof Numbers];
    if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) continue;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UsageError("OPTION_INVALID", `\`${name}\` is ${value}, but must be a whole number ${range}.`);
  }
}

/** Refuses options that there are not. @throws UsageError `OPTION_INVALID` */
export function checkNames<Options extends object>(options: Options, names: OptionNames<Options>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(names, name)) continue;
    const known = Object.entries(names).flatMap(([option, isPublic]) => (isPublic ? [option] : []));
    throw new UsageError(
      "OPTION_INVALID",
      `There is no option \`${name}\` here: there are ${known.sort().join(", ")}.${didYouMean(name, known)}`,
    );
  }
}
