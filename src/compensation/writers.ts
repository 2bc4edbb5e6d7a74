import type { StreamRule } from "../architecture/stream.ts";
import { ARCHITECTURES } from "../architecture/table.ts";
import type { BlockFactors } from "../documents/compensation.ts";
import { blockTensor } from "../gguf/block-names.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { CompensationError } from "./errors.ts";

/** Names of tensors, without `blk.<i>.` and `.weight`, whose product is added to the stream if nothing stands between. */
const ATTENTION_WRITERS = ["attn_output", "ssm_out", "shortconv.out_proj", "time_mix_output"] as const;
const FEED_FORWARD_WRITERS = [
  "ffn_down",
  "ffn_down_exps",
  "ffn_down_shexp",
  "ffn_down_chexps",
  "channel_mix_value",
] as const;

/** Of these a bias is added before the tensor's `.scale` multiplies, of the others after (llm_graph_context::build_ffn). */
const BIASED_BEFORE_SCALE: ReadonlySet<string> = new Set(["ffn_down", "ffn_down_shexp"]);

/** A tensor whose product a block adds to the stream, and what it is to be multiplied by. */
export interface Writer {
  readonly factor: number;
  readonly weight: TensorInfo;
  /** llama.cpp multiplies the product by it. */
  readonly scale: TensorInfo | undefined;
  readonly bias: TensorInfo | undefined;
  /** Whether the scale multiplies the bias as well. */
  readonly scalesBias: boolean;
}

/** @throws CompensationError when the architecture has none */
export function streamRule(architecture: string): StreamRule {
  const rule = ARCHITECTURES.get(architecture)?.stream;
  if (rule) return rule;
  throw new CompensationError(
    "COMPENSATION_ARCHITECTURE",
    `The layers of "${architecture}" models do not simply add an attention and a feed-forward output to their input, so factors would not be stored right; use \`compensate: "off"\`.`,
  );
}

/**
 * @param kept blocks that are left
 * @throws CompensationError unless the factors are of such blocks, each once
 */
export function checkBlocks(factors: readonly BlockFactors[], kept: readonly number[]): void {
  const layers = factors.map(({ layer }) => layer);
  const stray = layers.find((layer) => !kept.includes(layer));
  const double = layers.find((layer, i) => layers.indexOf(layer) !== i);
  if (stray === undefined && double === undefined) return;
  throw new CompensationError(
    "COMPENSATION_FACTORS",
    `The plan has ${stray === undefined ? `two factors for layer ${double}` : `a factor for layer ${stray}, which is not among those left`}; make the plan again, or use \`compensate: "off"\`.`,
  );
}

/**
 * The tensors that carry the factors of some blocks.
 * @throws CompensationError when a block has no tensor that carries its factor
 */
export function writersOf(file: GgufFile, architecture: string, factors: readonly BlockFactors[]): Writer[] {
  const rule = streamRule(architecture);
  const addsOnce = rule.addsOnce?.(file) ?? false;
  const tensors = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));
  return factors.flatMap(({ layer, attention, feedForward }) => {
    const wrong = [attention, feedForward].find((factor) => !(factor > 0 && Number.isFinite(factor)));
    if (wrong !== undefined) {
      throw new CompensationError(
        "COMPENSATION_FACTORS",
        `The factor ${wrong} of layer ${layer} is no positive finite number; make the plan again.`,
      );
    }
    if (addsOnce && attention !== feedForward) {
      throw new CompensationError(
        "COMPENSATION_FACTORS",
        `Layer ${layer} adds only once to its input, so its factors ${attention} and ${feedForward} must be equal; make the plan again.`,
      );
    }
    const find = (name: string) => tensors.get(blockTensor(layer, name));
    const parts = [
      { factor: attention, writers: partWriters(find, attention, rule.attentionNorms, ATTENTION_WRITERS) },
      {
        factor: feedForward,
        writers: partWriters(find, feedForward, rule.feedForwardNorms, FEED_FORWARD_WRITERS),
      },
    ];
    const missing = parts.filter(({ factor, writers }) => factor !== 1 && writers.length === 0);
    if (missing.length > (addsOnce ? 1 : 0)) {
      throw new CompensationError(
        "COMPENSATION_ARCHITECTURE",
        `Layer ${layer} of this ${architecture} model has no tensor that could take its factor ${missing[0]!.factor}; use \`compensate: "off"\`.`,
      );
    }
    return parts.flatMap(({ writers }) => writers);
  });
}

function partWriters(
  find: (name: string) => TensorInfo | undefined,
  factor: number,
  norms: readonly string[] | undefined,
  writers: readonly string[],
): Writer[] {
  if (factor === 1) return [];
  if (norms) {
    return norms.flatMap((name) => {
      const weight = find(name);
      return weight ? [{ factor, weight, scale: undefined, bias: undefined, scalesBias: false }] : [];
    });
  }
  return writers.flatMap((name) => {
    const weight = find(`${name}.weight`);
    if (!weight) return [];
    const scalesBias = BIASED_BEFORE_SCALE.has(name);
    return [{ factor, weight, scale: find(`${name}.scale`), bias: find(`${name}.bias`), scalesBias }];
  });
}
