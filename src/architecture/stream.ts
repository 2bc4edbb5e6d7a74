import type { GgufFile } from "../gguf/types.ts";

/**
 * How a block writes into the residual stream, which decides what tensors carry a factor.
 * test/compensation/architectures.test.ts holds every architecture's against llama.cpp. An empty one: attention and
 * feed-forward are added in turn, each the product of a tensor that `src/compensation/writers.ts` knows.
 */
export interface StreamRule {
  /**
   * Whether a block of this model adds only once: its attention and its feed-forward read the same state, or it has only
   * one of the two. It has one factor then.
   */
  readonly addsOnce?: (file: GgufFile) => boolean;
  /** Tensors of norms that the attention's output, and the feed-forward's, goes through before it is added. */
  readonly attentionNorms?: readonly string[];
  readonly feedForwardNorms?: readonly string[];
  /** Some part reads the stream without normalising it first, so a larger stream is not the same as smaller outputs. */
  readonly readsUnnormalised?: true;
  /** llama.cpp multiplies every output by the tensor's `.scale`, if the file has one. */
  readonly readsScales?: true;
}

export const ADDS_ONCE: StreamRule = { addsOnce: () => true };

export const READS_SCALES: StreamRule = { readsScales: true };

export const POST_NORMS = {
  attentionNorms: ["post_attention_norm.weight"],
  feedForwardNorms: ["post_ffw_norm.weight"],
};

export const PLAMO_NORMS = { attentionNorms: ["post_attention_norm"], feedForwardNorms: ["post_ffw_norm"] };
