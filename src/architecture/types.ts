import type { GgufFile, GgufValue } from "../gguf/types.ts";
import type { Constraints } from "../selection/types.ts";

/** What the rest of the project needs to know about one model's architecture; made by `describeArchitecture`. */
export interface Architecture {
  /** `general.architecture`. */
  readonly name: string;
  /** Number of blocks that `<arch>.block_count` counts, trailing MTP blocks included. */
  readonly blockCount: number;
  /** Blocks the analysis measures, 0…analysedBlocks−1 (trailing MTP blocks are not run and not measured). */
  readonly analysedBlocks: number;
  /** Name llama.cpp gives to a block's output tensor in the graph, without the `-<il>` suffix; usually `l_out`. */
  readonly blockOutput: string;
  /**
   * Which dimension of the block output counts tokens: 1 for `[n_embd, n_tokens]` (and for gemma3n's
   * `[n_embd, n_tokens, streams]`), 2 where several residual streams lie below it (`[n_embd, streams, n_tokens]`).
   */
  readonly tokenAxis: 1 | 2;
  /** Over the trunk: `positional` kinds have `analysedBlocks` entries; `fixed` also lists the MTP blocks. */
  readonly constraints: Constraints;
}

/** What surgery changes in a file so that every kept block stays what it was. */
export interface Rewrite {
  /** Metadata to set (existing keys keep their place, new ones are appended). */
  readonly set: ReadonlyMap<string, GgufValue>;
  /** New name of each tensor, or null if it goes. */
  renameTensor(name: string): string | null;
}

/** @throws ArchitectureError (refused by name, with the reason) */
export type DescribeArchitecture = (file: GgufFile) => Architecture;
/**
 * @param kept ascending indices of the kept blocks among all `blockCount` (MTP blocks included).
 * @throws ArchitectureError when the removal breaks a rule
 */
export type PlanRewrite = (file: GgufFile, kept: readonly number[]) => Rewrite;
