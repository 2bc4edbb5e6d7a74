import { blockOf, renumbered } from "../gguf/block-names.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import type { GgufFile, GgufValue, TensorInfo } from "../gguf/types.ts";
import { planRewrite } from "./architecture.ts";
import { type ModelMetadata, readModel } from "./metadata.ts";
import type { Rewrite } from "./types.ts";

/**
 * A block of llama.cpp's architecture `deci` that has queries but no keys computes x + W·RMSNorm(x), which is what a
 * bridge is; its other blocks are llama's. So the models below are `deci` models under another name, and this file says
 * what has to be renamed and moved (src/models/deci.cpp against the source's own file).
 */
export const DECI = "deci";

/** Feed-forward units of a bridge, zero: without any, deci.cpp's graph drops what the bridge adds. */
export const BRIDGE_FEED_FORWARD = 1;

/** How an architecture differs from `deci`. */
interface Source {
  /** Rotary pairs are half a head apart instead of neighbours: rows of queries and keys change places. */
  readonly halves?: true;
  /** Tensors that it has besides `COMMON`. */
  readonly tensors?: readonly RegExp[];
  /** Metadata (short keys) that it reads and `deci` does not. */
  readonly reads?: readonly string[];
}

const COMMON = [
  /^(token_embd|output|output_norm)\.weight$/,
  /^blk\.\d+\.(attn_norm|attn_q|attn_k|attn_v|attn_output|ffn_norm|ffn_gate|ffn_up|ffn_down)\.weight$/,
  /^blk\.\d+\.attn_[qkv]\.bias$/,
];
const FUSED = /^blk\.\d+\.attn_qkv\.(weight|bias)$/;
const LLAMA = [
  FUSED,
  /^rope_(freqs|factors_long|factors_short)\.weight$/,
  /^blk\.\d+\.(attn_output|ffn_gate|ffn_up|ffn_down)\.bias$/,
];

const SOURCES: ReadonlyMap<string, Source> = new Map<string, Source>([
  [DECI, { tensors: LLAMA }],
  ["ernie4_5", { tensors: [FUSED] }],
  ["internlm2", { tensors: [FUSED] }],
  ["llama", { tensors: LLAMA }],
  [
    "mistral3",
    {
      tensors: LLAMA,
      reads: [
        "attention.temperature_scale",
        "rope.scaling.yarn_beta_fast",
        "rope.scaling.yarn_beta_slow",
        "rope.scaling.yarn_log_multiplier",
      ],
    },
  ],
  ["qwen2", { halves: true }],
  ["xverse", { tensors: [FUSED] }],
]);

/** Names of the architectures whose models can be written as `deci`. */
export const DECI_SOURCES: readonly string[] = [...SOURCES.keys()];

/** Why a model cannot be written as `deci` and compute what it does, or undefined when it can. */
export function deciRefusal(file: GgufFile): string | undefined {
  const model = readModel(file);
  const source = SOURCES.get(model.name);
  if (!source) return `only ${DECI_SOURCES.join(", ")} models can be written so`;
  const known = [...COMMON, ...(source.tensors ?? [])];
  const foreign = file.tensors.find(({ name }) => !known.some((pattern) => pattern.test(name)));
  if (foreign) return `its tensor ${foreign.name} would not be read`;
  const unread = source.reads?.find((key) => model.value(key) !== undefined);
  if (unread !== undefined) return `its ${model.fullKey(unread)} would not be read`;
  const odd = file.tensors.find(
    (tensor) => source.halves && isRotated(tensor) && headRows(model, tensor) % 2 !== 0,
  );
  return odd && `the rows of its tensor ${odd.name} are no pairs`;
}

/** A removal written as `deci`. */
export interface DeciRewrite extends Rewrite {
  /** Index in the output of the bridge after each kept block that has one. */
  readonly bridges: ReadonlyMap<number, number>;
}

/**
 * As `planRewrite`, with the kept blocks written as `deci`'s and a bridge after some of them. The bridges' tensors are
 * the caller's to add.
 * @param kept ascending
 * @param after kept blocks that a bridge follows
 * @throws ArchitectureError as `planRewrite`; the file must have no `deciRefusal`
 */
export function planDeciRewrite(
  file: GgufFile,
  kept: readonly number[],
  after: readonly number[],
): DeciRewrite {
  const model = readModel(file);
  const plain = planRewrite(file, kept);
  // Each kept block, then its bridge if it has one.
  const blocks = kept.flatMap((index) => [
    { index, bridge: false },
    ...(after.includes(index) ? [{ index, bridge: true }] : []),
  ]);
  const position = (index: number, bridge: boolean) =>
    blocks.findIndex((block) => block.index === index && block.bridge === bridge);
  const sizes = (key: string, ofBridge: (block: number) => number): GgufValue => ({
    type: "array",
    elementType: "int32",
    value: blocks.map(({ index, bridge }) => (bridge ? ofBridge(index) : sizeOf(model, key, index))),
  });
  const rename = (key: string) =>
    key.startsWith(`${model.name}.`) ? `${DECI}${key.slice(model.name.length)}` : key;
  return {
    set: new Map<string, GgufValue | undefined>([
      ...plain.set,
      ["general.architecture", { type: "string", value: DECI }],
      [model.fullKey("block_count"), { type: "uint32", value: blocks.length }],
      [
        model.fullKey("attention.head_count"),
        sizes("attention.head_count", () => sizeOf(model, "attention.head_count", 0)),
      ],
      [model.fullKey("attention.head_count_kv"), sizes("attention.head_count_kv", () => 0)],
      [model.fullKey("feed_forward_length"), sizes("feed_forward_length", () => BRIDGE_FEED_FORWARD)],
    ]),
    renameKey: rename,
    renameTensor: (name) =>
      renumbered(name, (block) => {
        const index = position(block, false);
        return index < 0 ? undefined : index;
      }),
    permutations: permutationsOf(file, model),
    bridges: new Map(after.map((index) => [index, position(index, true)])),
  };
}

/** A number of one block; keys and values are as many as queries unless something else is said. */
function sizeOf(model: ModelMetadata, key: string, block: number): number {
  const own = model.number(key) ?? model.numbers(key)?.[block];
  if (own !== undefined) return own;
  return key === "attention.head_count_kv" ? sizeOf(model, "attention.head_count", block) : 0;
}

const isRotated = ({ name }: TensorInfo) => /^blk\.\d+\.attn_[qk]\.(weight|bias)$/.test(name);

/** Rows of one head in a tensor of queries or keys. */
function headRows(model: ModelMetadata, { name, shape }: TensorInfo): number {
  const block = blockOf(name) ?? Number.NaN;
  const key = name.includes("attn_q") ? "attention.head_count" : "attention.head_count_kv";
  return shape.at(-1)! / sizeOf(model, key, block);
}

/** Where rotary pairs are half a head apart, the order of rows that makes them neighbours: 0, n/2, 1, n/2 + 1, … */
function permutationsOf(file: GgufFile, model: ModelMetadata): Rewrite["permutations"] {
  if (!SOURCES.get(model.name)?.halves) return undefined;
  return new Map(
    file.tensors.filter(isRotated).map((tensor) => {
      const rows = headRows(model, tensor);
      const order = Array.from({ length: rows }, (_, row) =>
        row % 2 === 0 ? row / 2 : (rows + row - 1) / 2,
      );
      return [tensor.name, { order, rowBytes: rowBytes(tensor) }];
    }),
  );
}

/** Of a matrix; an element of a vector is a row of its own. */
function rowBytes({ shape, type }: TensorInfo): number {
  const { blockSize, typeSize } = GGML_TYPES.get(type)!;
  return shape.length === 1 ? typeSize : (shape[0]! / blockSize) * typeSize;
}
