import { UsageError } from "../errors.ts";

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

type Checked = { readonly [Name in keyof typeof BOUNDS]?: number | undefined };

/**
 * Refuses numbers that no run could mean, before any work is done.
 * @throws UsageError `OPTION_INVALID`
 */
export function checkOptions(options: Checked): void {
  for (const [name, [least, most]] of Object.entries(BOUNDS)) {
    const value = options[name as keyof Checked];
    if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) continue;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UsageError("OPTION_INVALID", `${name} is ${value}, but must be a whole number ${range}.`);
  }
}
