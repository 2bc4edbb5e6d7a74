import type { Constraints } from "../documents/model.ts";
import type { GgufValue } from "../gguf/types.ts";

/** What the rest of the project needs to know about one model's architecture; made by `describeArchitecture`. */
export interface Architecture {
  /** `general.architecture`. */
  readonly name: string;
  /** Number of blocks, trailing MTP blocks included; each of them one layer, however often the model runs it. */
  readonly blockCount: number;
  /** Blocks the analysis measures, 0…analysedBlocks−1 (trailing MTP blocks are not run and not measured). */
  readonly analysedBlocks: number;
  readonly states: StateTensors;
  /** Over the trunk: `positional` kinds have `analysedBlocks` entries; `shared` also tells of the MTP blocks. */
  readonly constraints: Constraints;
  /** Whether blocks take nothing but the state from earlier ones, so that a pass can start at any of them. */
  readonly independentBlocks: boolean;
}

/** Where llama.cpp's compute graph shows the state that passes from block to block. */
export interface StateTensors {
  /** Name of a block's output tensor without its `-<il>`; usually `l_out`. */
  readonly blockOutput: string;
  /** Name of a block's input tensor without its `-<il>`, where that replaces the one before's output; empty: none. */
  readonly blockInput: string;
  /** Name of the tensor that enters block 0; empty: the last `[n_embd, n_tokens]` one before the block's nodes. */
  readonly input: string;
  /** Another name that the last block's output has; empty: none. */
  readonly lastOutput: string;
  /** Number of residual streams, each of n_embd. */
  readonly streams: number;
  /** How often the model runs its blocks, from the first to the last, one loop after the other. */
  readonly loops: number;
  /** Whether a token's streams lie side by side: `[n_embd, streams, n_tokens]`, else `[n_embd, n_tokens, streams]`. */
  readonly streamsInside: boolean;
  /** Whether the graph's result is embeddings, one a token: what it says of next tokens means nothing, if it says any. */
  readonly embeds: boolean;
  /** Whether tokens attend to later ones too, so that a sequence cannot be run in parts. */
  readonly wholeSequences: boolean;
  /** Blocks that llama.cpp passes over: they hand on their input and have no output tensor. */
  readonly emptyBlocks: readonly number[];
}

/** What surgery changes in a file so that every kept block stays what it was. */
export interface Rewrite {
  /** Metadata to set (existing keys keep their place, new ones are appended); an undefined value's key goes. */
  readonly set: ReadonlyMap<string, GgufValue | undefined>;
  /** New name of each key: that of the architecture is part of most. */
  readonly renameKey?: (key: string) => string;
  /** By name in the input: what all weights of a tensor are multiplied by. */
  readonly scales?: ReadonlyMap<string, number>;
  /** New name of each tensor, or null if it goes. */
  renameTensor(name: string): string | null;
  /** By name: tensors whose rows change places. */
  readonly permutations?: ReadonlyMap<string, RowPermutation> | undefined;
  /** By name: tensors of the whole model that hold something of each block side by side. */
  readonly slices?: ReadonlyMap<string, TensorSlice>;
}

/** One dimension of a tensor is divided evenly among the blocks, in their order; the kept blocks' parts stay. */
export interface TensorSlice {
  readonly axis: 0 | 1;
  /** Number of blocks that share the dimension. */
  readonly of: number;
  /** Ascending indices of those that stay. */
  readonly kept: readonly number[];
}

/** Each group of `order.length` rows of a tensor is put in this order: row i is what row `order[i]` was. */
export interface RowPermutation {
  readonly order: readonly number[];
  readonly rowBytes: number;
}
