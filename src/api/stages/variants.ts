import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import type { Comparison } from "../../documents/comparison.ts";
import type { Speed } from "../../evaluation/speed.ts";
import { tokensOf, type WindowedText } from "../../evaluation/text.ts";
import { temporaryName } from "../../files/temporary.ts";
import type { ImportanceMatrix } from "../../imatrix/types.ts";
import { cacheWidths } from "../../model/cache-width.ts";
import type { Lanes } from "../../model/lanes.ts";
import { type Model, openModel } from "../../model/model.ts";
import { explicitPlan } from "../../selection/plan.ts";
import { sum } from "../../statistics.ts";
import { quantizeGguf } from "../../surgery/quantize.ts";
import { type DescribedModel, describeModel, fileBytes } from "./describe.ts";
import type { OpenedModel } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";
import type { Quantization } from "./quantization.ts";
import { estimatePromptSpeedup, estimateSpeedup, outputSize } from "./savings.ts";
import { timeInTurn } from "./time-in-turn.ts";
import { costWithout, type VirtualCost } from "./virtual-cost.ts";

/** The model quantised, without some layers, or both, and what that costs. */
export type Variant = NonNullable<Comparison["variants"]>[number];

/** Layers that may go, and what chose them. */
export type Removal = Pick<Variant, "removedLayers" | "method">;

/** Bytes of a number in the cache, F16. */
const CACHED_NUMBER = 2;

/** What a variant takes of everything but loss, a model being described as it is in a type. */
export async function resourcesOf(
  described: DescribedModel,
  type: string | null,
  { removedLayers, method }: Removal,
  faster: Speed = { prompt: 1, generation: 1 },
): Promise<Omit<Variant, "measures">> {
  const { file, summary } = described;
  const bytes =
    removedLayers.length === 0
      ? fileBytes(file)
      : outputSize(described, explicitPlan(summary, removedLayers), await described.fingerprint()).bytes;
  return {
    type,
    ...(method !== undefined && { method }),
    removedLayers,
    bytes,
    cacheBytes: CACHED_NUMBER * sum(cacheWidths(file).filter((_, layer) => !removedLayers.includes(layer))),
    speedup: {
      prompt: faster.prompt * estimatePromptSpeedup(described, removedLayers),
      generation: faster.generation * estimateSpeedup(described, removedLayers),
    },
    timed: type !== null && removedLayers.length === 0,
  };
}

/** What is measured of types of quantisation, and beside what. */
export interface TypesToMeasure {
  readonly described: DescribedModel;
  readonly opened: OpenedModel;
  /** Contexts in which the model runs as it is. */
  readonly base: Lanes;
  readonly texts: readonly WindowedText[];
  readonly quantizations: readonly Quantization[];
  /** Measured together with each type. */
  readonly removals: readonly Removal[];
  judge(cost: VirtualCost): Variant["measures"][number];
}

/**
 * Quantises a model to one type after the other, each to a temporary file, and measures it beside the original, as it is
 * and without layers. A type that makes no smaller file is left out.
 * @throws RuntimeError, EvaluationError, OutputError, AbortedError
 */
export async function measureTypes(
  task: TypesToMeasure,
  options: ModelRunOptions & { readonly onVariant?: ((variant: Variant) => void) | undefined },
): Promise<Variant[]> {
  const variants: Variant[] = [];
  for (const quantization of task.quantizations) {
    const { type, imatrix, tensorTypes } = quantization;
    const { file, stem } = task.described;
    const path = temporaryName(`${stem}-${type.toLowerCase()}.gguf`);
    const total = fileBytes(file);
    try {
      await quantizeGguf(file.paths[0]!, path, type, {
        ...options,
        imatrix,
        tensorTypes,
        onProgress: (done) =>
          options.onProgress?.({ stage: "quantize", done: done * total, total, unit: "bytes", note: type }),
      });
      const quantized = await describeModel(path, options);
      if (fileBytes(quantized.file) >= total) {
        options.onNotice?.(`${type} makes the file no smaller, so that it is left out.`);
        continue;
      }
      variants.push(...(await measureQuantized(task, quantized, quantization, options)));
    } finally {
      await rm(path, { force: true });
    }
  }
  return variants;
}

async function measureQuantized(
  { opened, base, texts, removals, judge }: TypesToMeasure,
  quantized: DescribedModel,
  { type, imatrix }: Quantization,
  options: Parameters<typeof measureTypes>[1],
): Promise<Variant[]> {
  const model = await openModel(quantized.file.paths[0]!, options);
  const { states, independentBlocks } = quantized.architecture;
  const { sequenceLength } = opened;
  const lanes = model.openLanes({ sequenceLength, states, scores: true, independentBlocks });
  try {
    const faster = await speedBeside(opened, model, quantized, options);
    const as = imatrix ? `${type} by ${digest(imatrix)}` : type;
    const total = sum(texts.map(tokensOf));
    const variants: Variant[] = [];
    for (const removal of [{ removedLayers: [] }, ...removals]) {
      const measures: Variant["measures"][number][] = [];
      let before = 0;
      for (const text of texts) {
        const onProgress = (done: number) =>
          options.onProgress?.({ stage: "evaluate", done: before + done, total, unit: "tokens", note: type });
        measures.push(
          judge(await costWithout(opened, removal.removedLayers, text, { as, lanes, base, onProgress })),
        );
        before += tokensOf(text);
      }
      const variant = { ...(await resourcesOf(quantized, type, removal, faster)), measures };
      variants.push(variant);
      options.onVariant?.(variant);
    }
    return variants;
  } finally {
    lanes.close();
    model.close();
  }
}

/** How many times as fast as the open model another is, timed in turn. */
async function speedBeside(
  opened: OpenedModel,
  quantized: Model,
  { architecture: { states } }: DescribedModel,
  options: ModelRunOptions,
): Promise<Speed> {
  const original = { model: opened.model, states };
  const [before, after] = await timeInTurn(opened, [original, { model: quantized, states }], options);
  return { prompt: after.prompt / before.prompt, generation: after.generation / before.generation };
}

function digest({ values }: ImportanceMatrix): string {
  const hash = createHash("sha256");
  for (const [name, { buffer, byteOffset, byteLength }] of values) {
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}
