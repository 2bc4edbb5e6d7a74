import { type ModelMetadata, sameType } from "./metadata.ts";
import {
  byLength,
  fixed,
  float32,
  global,
  hasWindow,
  hybrid,
  hybridByHeads,
  leadingCount,
  lengthDefault,
  oneOf,
  positional,
  type Rule,
  recurrentInterval,
  refused,
  type Scaling,
  scaledByLength,
  sharedIndexers,
  slidingWindow,
  slidingWindowArray,
  uint32,
  where,
} from "./rules.ts";
import type { StateTensors } from "./types.ts";

/** What is particular to one architecture, beyond the rules common to all. */
export interface Entry {
  readonly rules: readonly Rule[];
  /** What deviates from `l_out` with one residual stream. */
  readonly states?: Partial<Omit<StateTensors, "streams" | "emptyBlocks" | "loops">> & {
    readonly streams?: (model: ModelMetadata) => number;
    readonly emptyBlocks?: (model: ModelMetadata) => readonly number[];
  };
  /**
   * Whether each block's output is a sum of which `ffn_down`'s product is one term, with nothing in between, so that
   * --repair refit may change that tensor (test/repair/architectures.test.ts).
   */
  readonly addsFeedForward?: true;
}

// ---------------------------------------------------------------------------------------------------------------
// Rules that several architectures share, or that are long

const noRopeStep4 = (source: string, when: (model: ModelMetadata) => boolean = () => true): Rule =>
  positional("every fourth layer has no rotary embedding", source, (model) =>
    when(model) ? (index) => (index + 1) % 4 === 0 : undefined,
  );

/** llama4: `sliding_window` = 0 turns the chunks off; a missing key leaves them on. */
const llama4Chunked = (model: ModelMetadata) => model.number("attention.sliding_window") !== 0;

const llama4: readonly Rule[] = [
  slidingWindow(4, "llama4.cpp load_arch_hparams", { when: llama4Chunked }),
  oneOf(
    "one layer without rotary embedding, for which alone the attention is scaled by position",
    "llama4.cpp graph: inp_attn_scale; llama-graph.cpp llm_graph_input_attn_temp::set_input",
    (model) => (llama4Chunked(model) ? [where(model.trunkBlocks, (index) => (index + 1) % 4 === 0)] : []),
  ),
  noRopeStep4("llama4.cpp graph: n_no_rope_layer_step", llama4Chunked),
  {
    name: "the last layer has no rotary embedding",
    source: "llama4.cpp load_arch_hparams: n_no_rope_layer_step = n_layer",
    ends: (model) => (llama4Chunked(model) ? [] : [{ end: "last", layers: [model.trunkBlocks - 1] }]),
  },
  positional(
    "mixture-of-experts step (interleave_moe_layer_step)",
    "llama4.cpp load_arch_tensors",
    (model) => {
      const step = model.number("interleave_moe_layer_step") ?? 0;
      return step > 1 ? (index) => (index + 1) % step === 0 : undefined;
    },
  ),
];

const smallthinker: readonly Rule[] = [
  slidingWindow(4, "smallthinker.cpp load_arch_hparams", { globalFirst: true, when: hasWindow }),
  positional("every fourth layer has no rotary embedding", "smallthinker.cpp graph", (model) =>
    hasWindow(model) ? (index) => index % 4 === 0 : undefined,
  ),
  byLength(
    "rotary embeddings: with four layers, all have one",
    "smallthinker.cpp graph: n_no_rope_layer_step == n_layer",
    (model, blocks) => hasWindow(model) && blocks === 4,
  ),
];

const ernieMoe: readonly Rule[] = [
  positional("mixture-of-experts step (interleave_moe_layer_step)", "ernie4-5-moe.cpp graph", (model) => {
    const step = model.number("interleave_moe_layer_step") ?? 1;
    // Leading dense blocks count as what they would be behind the border, which moves as some of them go.
    return step > 1 ? (index) => (index + 1) % step === 0 : undefined;
  }),
];

/** Gemma's largest model is told by its number of blocks and scales its attention in another way. */
const gemmaScale = (largest: number, queries: Scaling["tensors"], source: string): Rule =>
  scaledByLength(
    "the attention scale",
    `${source} load_arch_hparams: f_attention_scale of LLM_TYPE_27B`,
    queries,
    (model, blocks) => {
      const headSize = model.number("attention.key_length");
      const heads = model.numbers("attention.head_count")?.[0] ?? model.number("attention.head_count") ?? 1;
      const perHead = Math.floor((model.number("embedding_length") ?? 0) / heads);
      return 1 / Math.sqrt(blocks === largest ? perHead : (headSize ?? perHead));
    },
  );

/** DeepSeek-V2-Lite, GigaChat3, Kanana-2 and GLM-4.7-Flash are told by their number of blocks. */
const isLite = (model: ModelMetadata, blocks: number) =>
  blocks === 26 || blocks === 27 || (blocks === 48 && model.vocabularySize === 128256);
const isGlmLite = (model: ModelMetadata, blocks: number) =>
  (blocks === 47 || blocks === 48) && model.vocabularySize === 154880;
const SOFTMAX = 1;
const SIGMOID = 2;

const deepseek2: readonly Rule[] = [
  lengthDefault(
    "attention.q_lora_rank",
    (model) => (isLite(model, model.trunkBlocks) ? uint32(0) : undefined),
    "deepseek2.cpp load_arch_hparams: is_lite",
  ),
  lengthDefault(
    "expert_gating_func",
    (model) => uint32(isGlmLite(model, model.trunkBlocks) ? SIGMOID : SOFTMAX),
    "deepseek2.cpp load_arch_hparams: GLM 4.7 Lite",
  ),
  byLength(
    "the kind of query projection: 26 and 27 layers make a Lite model",
    "deepseek2.cpp load_arch_hparams: is_lite",
    (model, blocks) =>
      !isLite(model, model.trunkBlocks) &&
      (model.number("attention.q_lora_rank") ?? 0) > 0 &&
      isLite(model, blocks),
  ),
];

/** The indexer types of GLM-5.2 for files without `attention.indexer.types`: two full blocks, then one in four. */
const GLM_5_2_CONTEXT = 1048576;
const GLM_5_2_BLOCKS = 78;
const glm52Type = (index: number) => (index < 2 || (index < GLM_5_2_BLOCKS && (index - 2) % 4 === 0) ? 1 : 0);

const glmDsaTypes = (model: ModelMetadata): readonly number[] | undefined =>
  model.numbers("attention.indexer.types") ??
  ((model.number("context_length") ?? 0) < GLM_5_2_CONTEXT
    ? undefined
    : Array.from({ length: model.trunkBlocks }, (_, index) => glm52Type(index)));

const deepstack = (source: string): Rule =>
  fixed("layers that take image features (n_deepstack_layers)", source, (model) =>
    where(model.trunkBlocks, (index) => index < (model.number("n_deepstack_layers") ?? 0)),
  );

/** With `deepstack_mapping`, a mapped block must not come to index 0, where nothing is injected. */
const deepstackMapping = (source: string): Rule =>
  fixed("layers that take image features (deepstack_mapping)", source, (model) => {
    const mapping = model.numbers("deepstack_mapping") ?? [];
    return mapping.some((slot) => slot >= 0)
      ? where(model.trunkBlocks, (index) => index === 0 || (mapping[index] ?? -1) >= 0)
      : [];
  });

const sharedKv = (model: ModelMetadata) => model.number("attention.shared_kv_layers") ?? 0;

const gemma4SharedKv: Rule = {
  name: "layers whose keys and values later layers reuse (shared_kv_layers)",
  source: "gemma4.cpp load_arch_hparams: n_layer_kv_from_start; llama-model.cpp create_memory: reuse",
  shared: (model) => {
    const border = model.blockCount - sharedKv(model);
    const by = where(model.blockCount, (index) => index >= border);
    return by.length > 0 ? [border - 2, border - 1].map((layer) => ({ layer, by })) : [];
  },
  crossesBlocks: (model) => sharedKv(model) > 0,
  set: (model, kept) => {
    const value = model.value("attention.shared_kv_layers");
    const border = model.blockCount - sharedKv(model);
    if (!value || value.type === "array" || sharedKv(model) === 0) return [];
    return [
      ["attention.shared_kv_layers", { ...value, value: kept.filter((index) => index >= border).length }],
    ];
  },
};

/** Each token and the hidden state give every block an input of its own, all of them side by side in one tensor. */
const perLayerInputs: Rule = {
  name: "per-layer inputs, side by side in one tensor",
  source: "gemma3n.cpp and gemma4.cpp: per_layer_tok_embd, per_layer_model_proj",
  sliced: [
    { tensor: "per_layer_token_embd.weight", axis: 0 },
    { tensor: "per_layer_model_proj.weight", axis: 1 },
  ],
};

const firstBlockValues: Rule = {
  name: "the first layer, whose values every later layer mixes in",
  source: "rwkv7-base.cpp build_rwkv7_time_mix: first_layer_value; rwkv7.cpp load_arch_tensors: i == 0",
  fixed: () => [0],
  crossesBlocks: () => true,
};

/** nemotron_h has three kinds of block: Mamba, attention, and feed-forward ones, which have neither memory. */
const noFeedForward = (model: ModelMetadata, index: number) =>
  model.numbers("feed_forward_length")?.[index] === 0;
const noHeads = (model: ModelMetadata, index: number) =>
  model.numbers("attention.head_count_kv")?.[index] === 0;
const nemotronHybrid = hybrid(
  (model, index) => noFeedForward(model, index) && noHeads(model, index),
  (model, index) => noFeedForward(model, index) && !noHeads(model, index),
);

/** hyper-connections: several residual streams, copies of the embedding at first. */
const hyperConnections = {
  input: "hc_init",
  streams: (model: ModelMetadata) => model.number("hyper_connection.count") ?? 1,
  streamsInside: true,
};

/** Blocks read the inputs of the first ones of their group and of all before: only behind the last of those may any go. */
const residualGroups: Rule = {
  ...fixed(
    "layers whose outputs later layers read besides their input (attn_res.block_size)",
    "kimi-k3.cpp graph: res_push, res_mix",
    (model) => {
      const size = model.number("attn_res.block_size") ?? 0;
      const last = size > 0 ? Math.floor((model.trunkBlocks - 1) / size) * size : -1;
      return where(model.trunkBlocks, (index) => index <= last);
    },
  ),
  crossesBlocks: (model) => (model.number("attn_res.block_size") ?? 0) > 0,
};

/** The cache of this compression ratio fails when no block uses it; that of the other ratio, 128, does not. */
const CSA_RATIO = 4;
const oneCompressed = oneOf(
  `one layer of compression ratio ${CSA_RATIO}`,
  "llama-kv-cache-dsv4.cpp; llama-kv-cache.cpp build_input_k_rot divides by the head size of the first layer",
  (model) => {
    const ratios = model.numbers("attention.compress_ratios") ?? [];
    return [where(model.trunkBlocks, (index) => ratios[index] === CSA_RATIO)];
  },
);

const deciEmptyBlocks = (model: ModelMetadata) =>
  where(model.trunkBlocks, (index) => model.numbers("feed_forward_length")?.[index] === 0);

const deciLastBlock: Rule = {
  name: "a last layer with a feed-forward network, where some have none",
  source: "deci.cpp graph: n_ff == 0 skips the selection of output rows",
  ends: (model) => {
    const empty = deciEmptyBlocks(model);
    const layers = where(model.trunkBlocks, (index) => !empty.includes(index));
    return empty.length > 0 ? [{ end: "last", layers }] : [];
  },
};

const rwkv6: readonly Rule[] = [
  positional(
    "the state is halved every so many layers (rescale_every_n_layers)",
    "rwkv6.cpp graph",
    (model) => {
      const step = model.number("rescale_every_n_layers") ?? 0;
      return step > 0 ? (index) => (index + 1) % step === 0 : undefined;
    },
  ),
];

/** Architectures whose graphs are those of Baichuan 7B and 13B whatever the number of blocks. */
const BAICHUAN_NAMES: ReadonlyMap<number, string> = new Map([
  [32, "llama"],
  [40, "refact"],
]);

const unnamedBlocks = refused(
  "llama.cpp does not show what its layers put out, so nothing of them can be measured",
  'src/models/bert.cpp and the like: no cb(cur, "l_out", il)',
);
const encoderDecoder = refused(
  "it has two stacks of layers, an encoder and a decoder, and lorp prunes models with one",
  "t5.cpp graph",
);
const draftHead = refused(
  "it is a draft head that works on another model's hidden states",
  "eagle3.cpp, dflash.cpp, gemma4-assistant.cpp graph",
);

// ---------------------------------------------------------------------------------------------------------------
// The table: every architecture of llama.cpp's LLM_ARCH_NAMES (src/llama-arch.cpp)

/** Nothing follows from a block's index, and `ffn_down`'s product is added as it is. */
const PLAIN = [
  "apertus",
  "arcee",
  "bailingmoe2",
  "bitnet",
  "chameleon",
  "chatglm",
  "codeshell",
  "cogvlm",
  "deepseek",
  "deepseek2-ocr",
  "deepseek32",
  "dots1",
  "ernie4_5",
  "exaone",
  "falcon-h1",
  "gemma",
  "glm4moe",
  "gpt2",
  "hunyuan-dense",
  "hunyuan_vl",
  "internlm2",
  "jais",
  "jais2",
  "maincoder",
  "mpt",
  "nemotron",
  "olmo",
  "openelm",
  "orion",
  "paddleocr",
  "pangu-embedded",
  "phi3",
  "qwen",
  "qwen2",
  "qwen2vl",
  "refact",
  "seed_oss",
  "starcoder",
  "starcoder2",
  "xverse",
] as const;

/** Their tokens attend to later ones. */
const DIFFUSION = ["dream", "llada"] as const;

const PARTICULAR: Readonly<Record<string, Entry>> = {
  arctic: { rules: [] },
  bailingmoe: { rules: [] },
  dbrx: { rules: [] },
  "hunyuan-moe": { rules: [] },
  "minimax-m2": { rules: [] },
  olmoe: { rules: [] },
  phimoe: { rules: [] },
  qwen2moe: { rules: [] },
  hy_v3: { rules: [] },
  "llada-moe": { states: { wholeSequences: true }, rules: [] },
  rnd1: { states: { wholeSequences: true }, rules: [] },
  falcon: { addsFeedForward: true, rules: [] },
  glm4: { rules: [] },
  gptneox: { addsFeedForward: true, rules: [] },
  graniteswitch: { rules: [] },
  grok: { rules: [] },
  grovemoe: { rules: [] },
  llama: { addsFeedForward: true, rules: [] },
  mamba: { rules: [] },
  mamba2: { rules: [] },
  mistral3: { addsFeedForward: true, rules: [] },
  phi2: { addsFeedForward: true, rules: [] },
  plamo: { addsFeedForward: true, rules: [] },
  qwen3: { addsFeedForward: true, rules: [] },
  qwen3moe: { rules: [] },
  rwkv6qwen2: { rules: [] },
  stablelm: {
    addsFeedForward: true,
    rules: [],
  },
  talkie: { rules: [] },
  bailingmoe3: { addsFeedForward: true, rules: [hybridByHeads] },
  granitehybrid: { rules: [hybridByHeads] },
  jamba: { addsFeedForward: true, rules: [hybridByHeads] },
  "kimi-linear": { addsFeedForward: true, rules: [hybridByHeads] },
  lfm2: { addsFeedForward: true, rules: [hybridByHeads] },
  lfm2moe: { addsFeedForward: true, rules: [hybridByHeads] },
  deci: { addsFeedForward: true, states: { emptyBlocks: deciEmptyBlocks }, rules: [deciLastBlock] },
  bloom: { addsFeedForward: true, states: { input: "inp_norm-0" }, rules: [] },
  afmoe: {
    rules: [
      slidingWindow(4, "afmoe.cpp load_arch_hparams", { optional: true }),
      noRopeStep4("afmoe.cpp graph"),
    ],
  },
  arwkv7: { rules: [firstBlockValues] },
  baichuan: {
    rules: [
      {
        name: "the name by which the position encoding is that of 32 layers (rotary) or 40 (ALiBi)",
        source: "baichuan.cpp graph: model.type; llama.cpp and refact.cpp are the same graphs",
        runsAs: (model, blocks) =>
          blocks === model.trunkBlocks ? undefined : BAICHUAN_NAMES.get(model.trunkBlocks),
      },
      byLength(
        "the position encoding (rotary with 32 layers, ALiBi with 40)",
        "baichuan.cpp graph: model.type",
        (model, blocks) => !BAICHUAN_NAMES.has(model.trunkBlocks) && BAICHUAN_NAMES.has(blocks),
      ),
    ],
  },
  cohere2: { addsFeedForward: true, rules: [slidingWindow(4, "cohere2.cpp load_arch_hparams")] },
  cohere2moe: {
    addsFeedForward: true,
    rules: [slidingWindow(4, "cohere2moe.cpp load_arch_hparams", { globalFirst: true })],
  },
  "command-r": {
    addsFeedForward: true,
    rules: [
      byLength(
        "query and key norms, which models of 64 and more layers have",
        "command-r.cpp load_arch_tensors",
        (_, blocks) => blocks >= 64,
      ),
    ],
  },
  deepseek2: { addsFeedForward: true, rules: deepseek2 },
  deepseek4: {
    states: { blockOutput: "l_last", ...hyperConnections },
    rules: [oneCompressed, leadingCount("hash_layer_count", "deepseek4.cpp graph: dsv4_hash_layer_count")],
  },
  dots3note: {
    addsFeedForward: true,
    rules: [slidingWindowArray("dots3note.cpp load_arch_hparams", { others: global })],
  },
  "ernie4_5-moe": { rules: ernieMoe },
  exaone4: {
    rules: [
      byLength(
        "the sliding window, which models of 64 layers have",
        "exaone4.cpp load_arch_hparams",
        (_, blocks) => blocks === 64,
      ),
    ],
  },
  "exaone-moe": { addsFeedForward: true, rules: [slidingWindow(4, "exaone-moe.cpp load_arch_hparams")] },
  gemma2: {
    rules: [
      slidingWindow(2, "gemma2.cpp load_arch_hparams"),
      gemmaScale(46, [["attn_q.weight", "attn_q.bias"]], "gemma2.cpp"),
    ],
  },
  gemma3: {
    rules: [
      slidingWindow(6, "gemma3.cpp load_arch_hparams", { optional: true }),
      gemmaScale(62, [["attn_q_norm.weight"]], "gemma3.cpp"),
    ],
  },
  gemma3n: {
    states: { input: "inp_stacked", streams: () => 4 },
    rules: [
      perLayerInputs,
      slidingWindow(5, "gemma3n.cpp load_arch_hparams"),
      {
        ...positional(
          "the first 10 layers are sparse, the first 20 have keys and values of their own",
          "gemma3n.cpp: n_layer_sparsity = 10, n_layer_kv_from_start = 20",
          () => (index) => (index < 10 ? 0 : index < 20 ? 1 : 2),
        ),
        crossesBlocks: () => true,
      },
    ],
  },
  gemma4: {
    rules: [
      perLayerInputs,
      slidingWindowArray("gemma4.cpp load_arch_hparams", { others: global }),
      gemma4SharedKv,
      byLength(
        "its caches, which take two layers",
        "llama-model.cpp create_memory",
        (_, blocks) => blocks < 2,
      ),
    ],
  },
  "glm-dsa": {
    addsFeedForward: true,
    rules: [
      {
        name: "indexer types of GLM-5.2",
        source: "glm-dsa.cpp GLM_5_2_DEFAULT_INDEXER_TYPES",
        set: (model, kept) => {
          const types = glmDsaTypes(model);
          if (!types || model.value("attention.indexer.types")) return [];
          const value = kept.filter((index) => index < model.trunkBlocks).map((index) => types[index] === 1);
          return [["attention.indexer.types", { type: "array", elementType: "bool", value }]];
        },
      },
      sharedIndexers("glm-dsa.cpp graph: prev_top_k", glmDsaTypes),
    ],
  },
  "gpt-oss": { rules: [slidingWindow(2, "openai-moe.cpp load_arch_hparams")] },
  granite: { rules: [deepstackMapping("granite.cpp graph")] },
  granitemoe: { rules: [deepstackMapping("granite.cpp graph")] },
  granite_swa: {
    rules: [
      slidingWindowArray("granite-swa.cpp load_arch_hparams"),
      deepstackMapping("granite-swa.cpp graph"),
    ],
  },
  hrm_text: {
    rules: [
      {
        name: "layers of each stack",
        source: "hrm-text.cpp load_arch_tensors: both stacks have hrm.layers_per_stack layers",
        set: (model, kept) => [
          ["hrm.layers_per_stack", sameType(model.value("hrm.layers_per_stack")!, kept.length)],
        ],
        // What enters a stack is the sum of what both put out last.
        crossesBlocks: () => true,
      },
    ],
  },
  hy_v4: {
    states: hyperConnections,
    rules: [
      sharedIndexers("hy-v4.cpp graph: last_top_k", (model) => model.numbers("attention.indexer.types")),
    ],
  },
  "kimi-k3": {
    rules: [hybridByHeads, residualGroups],
  },
  laguna: {
    addsFeedForward: true,
    rules: [slidingWindow(4, "laguna.cpp load_arch_hparams", { globalFirst: true, optional: true })],
  },
  llama4: { addsFeedForward: true, rules: llama4 },
  maple: { rules: [slidingWindowArray("maple.cpp load_arch_hparams")] },
  mellum: { rules: [slidingWindow(4, "mellum.cpp load_arch_hparams", { optional: true })] },
  mimo2: { rules: [slidingWindowArray("mimo2.cpp load_arch_hparams")] },
  minicpm: {
    rules: [
      lengthDefault(
        "residual_scale",
        (model) => float32(Math.fround(1.4) / Math.fround(Math.sqrt(model.trunkBlocks))),
        "minicpm.cpp load_arch_hparams: f_residual_scale",
      ),
    ],
  },
  minicpm3: {
    rules: [
      scaledByLength(
        "the residual scale",
        "minicpm3.cpp graph: scale_res",
        [["attn_output.weight", "attn_output.bias", "ffn_down.weight", "ffn_down.bias"]],
        (_, blocks) => 1 / Math.sqrt(blocks),
      ),
    ],
  },
  "minimax-01": {
    rules: [
      ...recurrentInterval(8, "minimax-01.cpp"),
      byLength(
        "the decay of linear attention in each layer",
        "minimax-01.cpp graph: slope_scale",
        (_, blocks) => blocks,
      ),
    ],
  },
  "minimax-m3": {
    addsFeedForward: true,
    rules: [
      oneOf(
        "one layer behind the leading dense ones",
        "llama-model.cpp create_memory: filter_idx",
        (model) => {
          const dense = model.number("leading_dense_block_count") ?? 0;
          return [where(model.trunkBlocks, (index) => index >= dense)];
        },
      ),
    ],
  },
  mistral4: { addsFeedForward: true, rules: deepseek2 },
  "muse-glimmer": {
    rules: [slidingWindow(4, "muse-glimmer.cpp load_arch_hparams")],
  },
  nanbeige: { addsFeedForward: true, rules: [] },
  nemotron_h: {
    addsFeedForward: true,
    states: { blockOutput: "nemotron_h_block_out" },
    rules: [nemotronHybrid],
  },
  nemotron_h_moe: {
    states: { blockOutput: "nemotron_h_block_out" },
    rules: [nemotronHybrid],
  },
  olmo2: {
    rules: [slidingWindow(4, "olmo2.cpp load_arch_hparams", { optional: true })],
  },
  plamo2: { states: { blockOutput: "ffn_residual" }, rules: [hybridByHeads] },
  plamo3: {
    rules: [slidingWindow(8, "plamo3.cpp load_arch_hparams", { optional: true })],
  },
  qwen3next: { rules: recurrentInterval(4, "qwen3next.cpp") },
  qwen3vl: { addsFeedForward: true, rules: [deepstack("qwen3vl.cpp graph")] },
  qwen3vlmoe: { rules: [deepstack("qwen3vlmoe.cpp graph")] },
  qwen35: { addsFeedForward: true, rules: recurrentInterval(4, "qwen35.cpp") },
  qwen35moe: { rules: recurrentInterval(4, "qwen35moe.cpp") },
  qwen4exp: {
    states: { blockOutput: "l_last", ...hyperConnections },
    rules: [
      ...recurrentInterval(4, "qwen4exp.cpp"),
      {
        name: "the layer with n-gram embeddings (ple.layers)",
        source: "qwen4exp.cpp load_arch_hparams: is_ple_impl",
        fixed: (model) => model.numbers("ple.layers") ?? [],
        set: (model, kept) => {
          const value = model.value("ple.layers");
          if (value?.type !== "array") return [];
          const moved = (model.numbers("ple.layers") ?? []).map((layer) => kept.indexOf(layer));
          return [["ple.layers", { ...value, value: moved }]];
        },
      },
    ],
  },
  rwkv6: { rules: rwkv6 },
  rwkv7: { rules: [firstBlockValues] },
  smallthinker: { rules: smallthinker },
  smollm3: { addsFeedForward: true, rules: [noRopeStep4("smollm3.cpp graph: n_no_rope_layer_step = 4")] },
  spark2_5: { addsFeedForward: true, rules: [slidingWindowArray("spark2-5.cpp load_arch_hparams")] },
  step35: {
    states: { blockInput: "attn_norm_in", lastOutput: "h_nextn" },
    rules: [slidingWindowArray("step35.cpp load_arch_hparams")],
  },

  bert: { rules: [unnamedBlocks] },
  "modern-bert": { rules: [unnamedBlocks] },
  "nomic-bert": { rules: [unnamedBlocks] },
  "nomic-bert-moe": { rules: [unnamedBlocks] },
  "neo-bert": { rules: [unnamedBlocks] },
  "jina-bert-v2": { rules: [unnamedBlocks] },
  "jina-bert-v3": { rules: [unnamedBlocks] },
  eurobert: { rules: [unnamedBlocks] },
  "gemma-embedding": {
    states: { embeds: true, wholeSequences: true },
    rules: [slidingWindow(6, "gemma-embedding.cpp load_arch_hparams", { others: global })],
  },
  "llama-embed": { states: { embeds: true, wholeSequences: true }, rules: [] },
  t5: { rules: [encoderDecoder] },
  t5encoder: {
    rules: [refused("lorp does not know T5's names of layers (enc.blk)", "llama-arch.cpp LLM_TENSOR_ENC_*")],
  },
  eagle3: { rules: [draftHead] },
  dflash: { rules: [draftHead] },
  "gemma4-assistant": { rules: [draftHead] },
  clip: { rules: [refused("it is a multimodal projector and no language model", "clip.cpp")] },
  "wavtokenizer-dec": {
    rules: [refused("it is an audio decoder and no language model", "wavtokenizer-dec.cpp")],
  },
  qwen3tts: { rules: [refused("it predicts audio codes and no text", "qwen3tts.cpp")] },
  pockettts: { states: { embeds: true }, rules: [] },
  gptj: {
    rules: [refused("llama.cpp knows its name but cannot run it", "llama-model.cpp llama_model_mapping")],
  },
  plm: { rules: [refused("this release of llama.cpp cannot run it", "plm.cpp graph: v_states")] },
};

/** Every architecture by the name in `general.architecture`. */
export const ARCHITECTURES: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ...PLAIN.map((name) => [name, { rules: [], addsFeedForward: true }] as const),
  ...DIFFUSION.map(
    (name) => [name, { states: { wholeSequences: true }, rules: [], addsFeedForward: true }] as const,
  ),
  ...Object.entries(PARTICULAR),
]);
