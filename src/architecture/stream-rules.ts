import type { GgufFile } from "../gguf/types.ts";

/**
 * How the blocks of llama.cpp's architectures write into the residual stream, as data: it decides which tensors carry a
 * factor. An architecture that is missing adds something to its stream that is no tensor's output alone, or scales and
 * mixes the stream itself; for it factors are refused. test/compensation/architectures.test.ts holds every entry
 * against llama.cpp.
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

/** Names of tensors, without `blk.<i>.` and `.weight`, whose product is added to the stream if nothing stands between. */
export const ATTENTION_WRITERS = ["attn_output", "ssm_out", "shortconv.out_proj", "time_mix_output"] as const;
export const FEED_FORWARD_WRITERS = [
  "ffn_down",
  "ffn_down_exps",
  "ffn_down_shexp",
  "ffn_down_chexps",
  "channel_mix_value",
] as const;

/** Of these a bias is added before the tensor's `.scale` multiplies, of the others after (llm_graph_context::build_ffn). */
export const BIASED_BEFORE_SCALE: ReadonlySet<string> = new Set(["ffn_down", "ffn_down_shexp"]);

const always = () => true;

const POST_NORMS = {
  attentionNorms: ["post_attention_norm.weight"],
  feedForwardNorms: ["post_ffw_norm.weight"],
};

const PLAMO_NORMS = { attentionNorms: ["post_attention_norm"], feedForwardNorms: ["post_ffw_norm"] };

const SEQUENTIAL = [
  "apertus",
  "arcee",
  "bailingmoe",
  "bailingmoe2",
  "bailingmoe3",
  "bitnet",
  "bloom",
  "chameleon",
  "chatglm",
  "codeshell",
  "cogvlm",
  "dbrx",
  "deepseek",
  "deepseek2",
  "deepseek2-ocr",
  "deepseek32",
  "dots1",
  "dots3note",
  "dream",
  "ernie4_5",
  "exaone",
  "exaone-moe",
  "falcon-h1",
  "gemma",
  "glm-dsa",
  "glm4moe",
  "gpt-oss",
  "gpt2",
  "granite",
  "granite_swa",
  "granitehybrid",
  "granitemoe",
  "hunyuan-dense",
  "hunyuan-moe",
  "hunyuan_vl",
  "hy_v3",
  "internlm2",
  "jais",
  "jais2",
  "jamba",
  "kimi-linear",
  "laguna",
  "lfm2",
  "lfm2moe",
  "llada",
  "llada-moe",
  "llama4",
  "maincoder",
  "maple",
  "mellum",
  "mimo2",
  "minicpm",
  "minimax-m2",
  "minimax-m3",
  "mistral4",
  "mpt",
  "nanbeige",
  "nemotron",
  "olmo",
  "olmoe",
  "openelm",
  "orion",
  "paddleocr",
  "pangu-embedded",
  "phi3",
  "phimoe",
  "qwen",
  "qwen2",
  "qwen2moe",
  "qwen2vl",
  "qwen3next",
  "qwen3vl",
  "qwen3vlmoe",
  "refact",
  "rnd1",
  "seed_oss",
  "smollm3",
  "spark2_5",
  "starcoder",
  "starcoder2",
  "xverse",
] as const;

/** Sequential too; their graphs hand every tensor's `.scale` on. */
const READING_SCALES = ["llama", "mistral3", "qwen3", "qwen35", "qwen35moe", "qwen3moe"] as const;

const PARTICULAR: Readonly<Record<string, StreamRule>> = {
  afmoe: POST_NORMS,
  cohere2: { addsOnce: always },
  cohere2moe: { addsOnce: always },
  "command-r": { addsOnce: always },
  exaone4: { ...POST_NORMS, readsUnnormalised: true },
  falcon: { addsOnce: always },
  gemma2: POST_NORMS,
  gemma3: POST_NORMS,
  glm4: POST_NORMS,
  gptneox: {
    addsOnce: (file) => file.metadata.get("gptneox.use_parallel_residual")?.decode().value === true,
  },
  grok: {
    attentionNorms: ["attn_output_norm.weight"],
    feedForwardNorms: ["layer_output_norm.weight", "post_ffw_norm.weight"],
  },
  mamba: { addsOnce: always },
  mamba2: { addsOnce: always },
  "muse-glimmer": { ...POST_NORMS, readsUnnormalised: true },
  nemotron_h: { addsOnce: always },
  nemotron_h_moe: { addsOnce: always },
  olmo2: { ...POST_NORMS, readsUnnormalised: true },
  phi2: { addsOnce: always },
  plamo: { addsOnce: always },
  plamo2: PLAMO_NORMS,
  plamo3: PLAMO_NORMS,
  smallthinker: { readsUnnormalised: true },
  stablelm: { addsOnce: (file) => !file.tensors.some(({ name }) => name === "blk.0.ffn_norm.weight") },
};

export const STREAM_RULES: ReadonlyMap<string, StreamRule> = new Map<string, StreamRule>([
  ...SEQUENTIAL.map((name) => [name, {}] as const),
  ...READING_SCALES.map((name) => [name, { readsScales: true }] as const),
  ...Object.entries(PARTICULAR),
]);
