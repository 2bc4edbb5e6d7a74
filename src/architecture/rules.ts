import type { Constraints } from "../documents/model.ts";
import type { GgufValue } from "../gguf/types.ts";
import { boolArray, float32, type ModelMetadata, sameType, uint32 } from "./metadata.ts";

/**
 * One way in which llama.cpp derives what a block is from its index. Every facet is a pure function of the model;
 * a rule has those it needs.
 */
export interface Rule {
  /** What the user is told, e.g. in a plan that was constrained by it. */
  readonly name: string;
  /** Where llama.cpp says so: file and function. */
  readonly source: string;
  /** Why no block of this model can be removed, or undefined when some can. */
  readonly refusal?: (model: ModelMetadata) => string | undefined;
  /** Blocks that must stay. */
  readonly fixed?: (model: ModelMetadata) => readonly number[];
  /** Sets of blocks of each of which one must stay; empty sets are no rule. */
  readonly oneOf?: (model: ModelMetadata) => ReadonlyArray<readonly number[]>;
  /** Blocks of which one must be the first, or the last, that stays. */
  readonly ends?: (model: ModelMetadata) => ReadonlyArray<Omit<End, "rule">>;
  /** Blocks that must stay with any of some later ones. */
  readonly shared?: (model: ModelMetadata) => ReadonlyArray<Omit<Shared, "rule">>;
  /** Blocks take more from earlier ones than the state, so no pass can start in the middle. */
  readonly crossesBlocks?: (model: ModelMetadata) => boolean;
  /** The kind that a block's index gives it; a kept block must come to an index of its own kind. */
  readonly kinds?: (model: ModelMetadata) => readonly number[] | undefined;
  /** What every block computes as far as it follows from the number of trunk blocks alone; it must not change. */
  readonly byLength?: (model: ModelMetadata, trunkBlocks: number) => unknown;
  /** Tensors of the whole model whose dimension `axis` is divided evenly among the trunk's blocks. */
  readonly sliced?: readonly { readonly tensor: string; readonly axis: 0 | 1 }[];
  /** Metadata (short keys) that keeps every kept block what it was; undefined goes. @param kept indices of the kept blocks */
  readonly set?: (
    model: ModelMetadata,
    kept: readonly number[],
  ) => ReadonlyArray<readonly [string, GgufValue | undefined]>;
  /** The architecture by whose name the result runs, where its own would make it another model. @param blocks trunk blocks left */
  readonly runsAs?: (model: ModelMetadata, blocks: number) => string | undefined;
  /** Tensors (names without `blk.<i>.`) of the kept blocks whose weights are multiplied by a factor. */
  readonly scaled?: (model: ModelMetadata, kept: readonly number[]) => Scaling | undefined;
}

type End = NonNullable<Constraints["ends"]>[number];
type Shared = NonNullable<Constraints["shared"]>[number];

export interface Scaling {
  /** The first group of which a block has any tensor is scaled, all of it. */
  readonly tensors: ReadonlyArray<readonly string[]>;
  readonly factor: number;
}

const range = (length: number) => Array.from({ length }, (_, index) => index);
const where = (length: number, test: (index: number) => boolean) => range(length).filter(test);

// ---------------------------------------------------------------------------------------------------------------
// Rules of every architecture

/**
 * Keys whose arrays have one entry a block. Other arrays that happen to be as long (token lists, rope sections,
 * n-gram tables) are not in this list and stay.
 */
export const PER_BLOCK_KEYS = [
  "feed_forward_length",
  "expert_feed_forward_length",
  "expert_used_count",
  "attention.head_count",
  "attention.head_count_kv",
  "attention.sliding_window_pattern",
  "attention.rope_pattern",
  "attention.recurrent_layers",
  "attention.compress_ratios",
  "attention.indexer.types",
  "deepstack_mapping",
  "swiglu_clamp_exp",
  "swiglu_clamp_shexp",
  "activation_sparsity_scale",
  "xielu.alpha_n",
  "xielu.alpha_p",
  "xielu.beta",
  "xielu.eps",
] as const;

const perBlockArrays: Rule = {
  name: "metadata arrays with one entry a layer",
  source: "llama-model.cpp load_hparams and src/models/*.cpp load_arch_hparams: get_key_or_arr, get_arr",
  set: (model, kept) =>
    PER_BLOCK_KEYS.flatMap((key) => {
      const value = model.value(key);
      if (value?.type !== "array") return [];
      // An array may be shorter (no entries for prediction blocks) or longer (padded) than the block count.
      const isKept = new Set(kept);
      const cut = (value.value as readonly unknown[]).filter(
        (_, index) => index >= model.blockCount * model.loops.entries || isKept.has(index % model.blockCount),
      );
      return [[key, { ...value, value: cut } as GgufValue] as const];
    }),
};

const blockCount: Rule = {
  name: "layer count",
  source: "llama-model.cpp load_hparams: LLM_KV_BLOCK_COUNT",
  set: (model, kept) => [
    ["block_count", sameType(model.value("block_count")!, kept.length * model.loops.entries)],
  ],
};

/** The rule that keeps them together, or away. */
export const PREDICTION_BLOCKS = "trailing multi-token-prediction layers (nextn_predict_layers)";

const predictionBlocks: Rule = {
  name: PREDICTION_BLOCKS,
  source: "llama-hparams.cpp n_layer(): the last n_layer_nextn layers are outside the trunk",
  shared: (model) => {
    const blocks = where(model.blockCount, (index) => index >= model.trunkBlocks);
    return blocks.map((layer) => ({ layer, by: blocks.filter((other) => other !== layer) }));
  },
  set: (model, kept) => {
    const value = model.value("nextn_predict_layers");
    const dropped = model.predictionBlocks > 0 && kept.every((index) => index < model.trunkBlocks);
    return value && dropped ? [["nextn_predict_layers", sameType(value, 0)]] : [];
  },
};

/** Keys that give a number of leading blocks; every kept block stays on its side of the border. */
const leadingCount = (key: string, source: string): Rule => ({
  name: `leading layers counted by ${key}`,
  source,
  set: (model, kept) => {
    const value = model.value(key);
    const count = model.number(key);
    return value && count ? [[key, sameType(value, kept.filter((index) => index < count).length)]] : [];
  },
});

const PATTERN = "attention.sliding_window_pattern";

const headsOf = (model: ModelMetadata, index = 0) =>
  model.numbers("attention.head_count")?.[index] ?? model.number("attention.head_count") ?? 0;
/** The size of a head where the file does not give it. */
const headSize = (model: ModelMetadata) =>
  Math.floor((model.number("embedding_length") ?? 0) / Math.max(1, headsOf(model)));
/** The length of a head's keys. */
export const keyLength = (model: ModelMetadata) => model.number("attention.key_length") ?? headSize(model);

/** Sizes of a head in blocks with a sliding window, each with what it is in the others. */
const SWA_SIZES: ReadonlyArray<readonly [swa: string, full: (model: ModelMetadata) => number]> = [
  ["attention.key_length_swa", keyLength],
  ["attention.value_length_swa", (model) => model.number("attention.value_length") ?? headSize(model)],
  ["rope.dimension_count_swa", (model) => model.number("rope.dimension_count") ?? keyLength(model)],
];

/** What block 0 has of these stands for the whole model wherever llama.cpp asks without an index. */
const firstBlockSizes: Rule = {
  name: "sizes that llama.cpp takes from the first layer",
  source:
    "llama-model.cpp load_hparams: n_head() > 0; llama-graph.cpp: n_expert_used(), n_rot(), n_embd_head_k(); n_ff_exp()",
  ends: (model) => {
    const twoHeadSizes = SWA_SIZES.some(([swa, full]) => (model.number(swa) ?? full(model)) !== full(model));
    const windows = twoHeadSizes ? model.numbers(PATTERN) : undefined;
    const experts = ["expert_used_count", "expert_feed_forward_length"].map((key) => model.numbers(key));
    const sizes = (index: number) =>
      [headsOf(model, index) > 0, ...[...experts, windows].map((values) => values?.[index])].join();
    const same = where(model.trunkBlocks, (index) => sizes(index) === sizes(0));
    // A pattern that is no array follows from the architecture: there block 0 is sure to be right.
    const layers = twoHeadSizes && !windows ? [0] : same;
    return layers.length < model.trunkBlocks ? [{ end: "first", layers }] : [];
  },
  set: (model, kept) => {
    if (kept[0] === undefined || headsOf(model, kept[0]) === headsOf(model)) return [];
    return ["attention.key_length", "attention.value_length"].flatMap((key) =>
      model.value(key) ? [] : [[key, uint32(headSize(model))] as const],
    );
  },
};

/** Rules that hold whatever the architecture. */
export const COMMON_RULES: readonly Rule[] = [
  blockCount,
  perBlockArrays,
  predictionBlocks,
  leadingCount("leading_dense_block_count", "src/models/*.cpp: il < n_layer_dense_lead"),
  firstBlockSizes,
];

// ---------------------------------------------------------------------------------------------------------------
// Periods that can be written out

const hasWindow = (model: ModelMetadata) => (model.number("attention.sliding_window") ?? 0) > 0;

/** How an architecture uses sliding windows besides its pattern. */
interface WindowOptions {
  /** A period begins with the block that has no window instead of ending with it. */
  readonly globalFirst?: boolean;
  /** Whether the model has a sliding window at all. */
  readonly when?: (model: ModelMetadata) => boolean;
  /** Without `attention.sliding_window` the other blocks are what they are with it. */
  readonly optional?: boolean;
  /** Blocks of which one must stay besides one with a window. */
  readonly others?: (model: ModelMetadata, windows: readonly boolean[]) => readonly number[];
}

/**
 * Sliding-window blocks given by a period: block i has the window unless i mod n is n−1 (or 0 when `globalFirst`);
 * n = 0 gives it to every block. llama.cpp also reads an array, which is what is written.
 */
export const slidingWindow = (defaultPeriod: number, source: string, options: WindowOptions = {}): Rule => {
  const { globalFirst = false, optional = false, when = optional ? hasWindow : () => true, others } = options;
  const windows = (model: ModelMetadata): readonly boolean[] => {
    const given = model.numbers(PATTERN);
    const period = model.number(PATTERN) ?? defaultPeriod;
    return range(model.blockCount).map((index) => {
      if (given) return (given[index] ?? 0) !== 0;
      if (index >= model.trunkBlocks) return false;
      if (period === 0) return true;
      return globalFirst ? index % period !== 0 : index % period < period - 1;
    });
  };
  return {
    name: "sliding-window pattern",
    source: `${source}; llama-hparams.cpp set_swa_pattern; llama-model.cpp create_memory: is_swa_any()`,
    oneOf: (model) => {
      if (!when(model)) return [];
      const all = windows(model);
      // llama.cpp asserts that a model with a sliding window has a block that uses it.
      const windowed = optional ? [] : where(model.trunkBlocks, (index) => all[index]!);
      return [windowed, others?.(model, all) ?? []];
    },
    set: (model, kept) => {
      if (!when(model)) return [];
      const all = windows(model);
      if (optional && !kept.some((index) => index < model.trunkBlocks && all[index])) {
        return [["attention.sliding_window", undefined]];
      }
      return model.numbers(PATTERN) ? [] : [[PATTERN, boolArray(kept.map((index) => all[index]!))]];
    },
  };
};

/** The pattern comes as an array in every file; only a block that llama.cpp's assertion needs must stay. */
export const slidingWindowArray = (source: string, options: WindowOptions = {}): Rule =>
  slidingWindow(1, source, options);

/** The trunk's blocks without a window. */
export const global = (model: ModelMetadata, windows: readonly boolean[]) =>
  where(model.trunkBlocks, (index) => !windows[index]);

export { hasWindow };

/** Linear-attention blocks given by `full_attention_interval`, written out as `attention.recurrent_layers`. */
export function recurrentInterval(defaultInterval: number, source: string): readonly Rule[] {
  const recurrent = (model: ModelMetadata, index: number) => {
    const given = model.numbers("attention.recurrent_layers");
    const interval = model.number("full_attention_interval") ?? defaultInterval;
    return given ? given[index] === 1 : index < model.trunkBlocks && (index + 1) % interval !== 0;
  };
  return [
    hybrid(recurrent),
    {
      name: "full-attention interval",
      source: `${source} load_arch_hparams: LLM_KV_ATTENTION_RECURRENT_LAYERS, else LLM_KV_FULL_ATTENTION_INTERVAL`,
      set: (model, kept) =>
        model.value("attention.recurrent_layers")
          ? []
          : [["attention.recurrent_layers", boolArray(kept.map((index) => recurrent(model, index)))]],
    },
  ];
}

/**
 * A hybrid model keeps a block with recurrent state and one with attention: llama.cpp fills in the inputs of both
 * memories whether or not a block uses them, and aborts the process over one that none does.
 */
export const hybrid = (
  recurrent: (model: ModelMetadata, index: number) => boolean,
  attention: (model: ModelMetadata, index: number) => boolean = (model, index) => !recurrent(model, index),
): Rule => ({
  name: "one recurrent and one attention layer",
  source: "llama-graph.cpp llm_graph_input_mem_hybrid::set_input",
  oneOf: (model) =>
    [recurrent, attention].map((isOfKind) => where(model.trunkBlocks, (index) => isOfKind(model, index))),
});

/** Blocks without key-value heads are the recurrent ones. */
export const hybridByHeads: Rule = hybrid((model, index) => headsKv(model, index) === 0);

const headsKv = (model: ModelMetadata, index: number) => model.numbers("attention.head_count_kv")?.[index];

/** A scalar that llama.cpp computes from the number of blocks when the file does not give it. */
export const lengthDefault = (
  key: string,
  value: (model: ModelMetadata) => GgufValue | undefined,
  source: string,
): Rule => ({
  name: `${key}, computed from the number of layers`,
  source,
  set: (model) => {
    const computed = model.value(key) ? undefined : value(model);
    return computed ? [[key, computed]] : [];
  },
});

// ---------------------------------------------------------------------------------------------------------------
// Periods that cannot be written out

/** A kind that follows from the index and nothing in the file can override. */
export const positional = (
  name: string,
  source: string,
  kind: (model: ModelMetadata) => ((index: number) => number | boolean) | undefined,
): Rule => ({
  name,
  source,
  kinds: (model) => {
    const of = kind(model);
    return of && range(model.trunkBlocks).map((index) => Number(of(index)));
  },
});

// ---------------------------------------------------------------------------------------------------------------
// Blocks that must stay

export const fixed = (
  name: string,
  source: string,
  blocks: (model: ModelMetadata) => readonly number[],
): Rule => ({
  name,
  source,
  fixed: blocks,
});

export const oneOf = (
  name: string,
  source: string,
  blocks: (model: ModelMetadata) => ReadonlyArray<readonly number[]>,
): Rule => ({ name, source, oneOf: blocks });

/** Blocks whose sparse-attention indexer is reused by the blocks that follow them. */
export const sharedIndexers = (
  source: string,
  types: (model: ModelMetadata) => readonly number[] | undefined,
): Rule => ({
  name: "layers whose indexer later layers reuse",
  source,
  shared: (model) => {
    const full = types(model)?.slice(0, model.trunkBlocks) ?? [];
    return full.flatMap((type, layer) => {
      const next = full.indexOf(1, layer + 1);
      const by = where(next < 0 ? full.length : next, (index) => index > layer && full[index] === 0);
      return type === 1 && by.length > 0 ? [{ layer, by }] : [];
    });
  },
  crossesBlocks: (model) => types(model)?.includes(0) ?? false,
});

// ---------------------------------------------------------------------------------------------------------------
// Refusals

export const refused = (
  reason: string,
  source: string,
  when: (model: ModelMetadata) => boolean = () => true,
): Rule => ({
  name: reason,
  source,
  refusal: (model) => (when(model) ? reason : undefined),
});

/** Something that llama.cpp derives from the number of blocks alone. */
export const byLength = (
  what: string,
  source: string,
  of: (model: ModelMetadata, blocks: number) => unknown,
): Rule => ({
  name: `the number of layers decides on ${what}`,
  source,
  byLength: of,
});

/** A factor that llama.cpp derives from the number of blocks, made up for in weights that it multiplies the product of. */
export const scaledByLength = (
  what: string,
  source: string,
  tensors: Scaling["tensors"],
  of: (model: ModelMetadata, blocks: number) => number,
): Rule => ({
  name: `${what}, which follows from the number of layers`,
  source,
  scaled: (model, kept) => {
    const left = kept.filter((index) => index < model.trunkBlocks).length;
    const [was, is] = [of(model, model.trunkBlocks), of(model, left)];
    return was === is ? undefined : { tensors, factor: was / is };
  },
});

export { float32, leadingCount, uint32, where };
