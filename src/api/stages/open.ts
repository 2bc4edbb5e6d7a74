import { type FitText, fitTextOf } from "../../calibration/fit-text.ts";
import { type Calibration, loadCalibration } from "../../calibration/load.ts";
import {
  DEFAULT_SEQUENCE_LENGTH,
  type DealtText,
  dealSequences,
  type TextPart,
} from "../../calibration/sequences.ts";
import type { CalibrationText } from "../../documents/analysis.ts";
import { scoredBytes } from "../../evaluation/scores.ts";
import type { WindowedText } from "../../evaluation/text.ts";
import { checkWindows, firstScored } from "../../evaluation/windows.ts";
import { cacheFolder } from "../../files/cache-folder.ts";
import { type CacheKey, openCachePlace } from "../../files/cache-place.ts";
import { type KeptValues, openKeptValues, valuesInMemory } from "../../files/kept-values.ts";
import { checkUnchanged } from "../../files/unchanged.ts";
import type { Lanes } from "../../model/lanes.ts";
import { type Model, openModel } from "../../model/model.ts";
import { sampleText } from "../../repair/sampled-text.ts";
import { formatBytes, formatDepth } from "../../report/format.ts";
import { VERSION } from "../../version.ts";
import type { DescribedModel } from "./describe.ts";
import { once } from "./once.ts";
import type { CacheOptions, CalibrationOptions, ModelRunOptions } from "./options.ts";
import { type ChoiceTask, openTask, type TaskOptions } from "./task.ts";
/** What sequences begin with, or −1: the token that the model wants before a text, unless it is not wanted. */
export function bosOf({ info }: Model, { bos = true }: Pick<CalibrationOptions, "bos">): number {
  return bos ? info.bos : -1;
}

/** A model loaded by llama.cpp, with the token sequences to measure it on. */
export interface OpenedModel {
  readonly model: Model;
  /** Contexts that score sequences side by side, made when they are first asked for. */
  readonly lanes: Lanes;
  readonly calibration: Calibration;
  readonly sequenceLength: number;
  /** What sequences begin with, or −1. */
  readonly bos: number;
  readonly split: DealtText;
  /** What repairs are fitted on, read and tokenised when it is first asked for. @throws CalibrationError */
  fit(): Promise<FitText>;
  /** What the model writes for repairs to be fitted on besides, once it is first asked for. @throws RuntimeError, AbortedError */
  sampled(): Promise<readonly Int32Array[]>;
  /** Tokens of the longest sequence that its contexts take. */
  readonly longest: number;
  /** What layers are chosen by, where that is a task. */
  readonly task: ChoiceTask | undefined;
  /** What every number that is measured of it depends on, beside the text. Throws what Node throws, and AbortedError. */
  measuredOn(): Promise<CacheKey>;
  /**
   * What has been measured of it, by this run and, with a cache, by earlier ones.
   * @throws UsageError `CACHE_UNWRITABLE`
   */
  kept(): Promise<KeptValues>;
  close(): void;
}

/** Says what will be measured, before anything takes time. */
export function introduce(
  { file, summary }: DescribedModel,
  { onNotice }: Pick<ModelRunOptions, "onNotice">,
): void {
  const { name = file.paths[0], fileBytes: bytes = 0 } = summary;
  onNotice?.(`${name}: ${formatDepth(summary)}, ${formatBytes(bytes)}.`);
}

/** Loads the calibration text and the model, and cuts the text into sequences. Close what it returns. */
export async function openForCalibration(
  described: DescribedModel,
  options: CalibrationOptions & ModelRunOptions & CacheOptions & TaskOptions,
): Promise<OpenedModel> {
  const { file, architecture } = described;
  introduce(described, options);
  const calibration = await loadCalibration(options.calibration);
  const model = await openModel(file.paths[0]!, options);
  try {
    const sequenceLength =
      options.sequenceLength ?? Math.min(DEFAULT_SEQUENCE_LENGTH, model.info.trainedContextLength);
    const bos = bosOf(model, options);
    checkWindows("windows", sequenceLength, bos);
    const settings = { sequenceLength, sequences: options.sequences, bos };
    const split = dealSequences(await model.tokenize(calibration.text), settings);
    const task = options.task === undefined ? undefined : await openTask(model, options.task);
    const longest = Math.max(sequenceLength, task?.longest ?? 0);
    const context = { sequenceLength: longest, states: architecture.states };
    let lanes: Lanes | undefined;
    const fitText = once(() => fitTextOf(calibration, split, settings, (text) => model.tokenize(text)));
    const measuredOn = once(async () => ({
      model: await described.fingerprint(),
      device: [model.runtime.device, ...(options.rpc ?? [])].join(" "),
      gpuLayers: options.gpuLayers ?? "as many as fit",
      runtime: model.runtime.release,
      lorp: VERSION,
    }));
    const kept = once(async () =>
      options.cache
        ? openKeptValues(await openCachePlace(cacheFolder(), "measurements", await measuredOn()), () =>
            checkUnchanged(file),
          )
        : valuesInMemory(),
    );
    return {
      model,
      get lanes() {
        const { independentBlocks } = architecture;
        lanes ??= model.openLanes({ ...context, scores: true, independentBlocks });
        return lanes;
      },
      calibration,
      sequenceLength,
      bos,
      longest,
      split,
      fit: fitText,
      sampled: once(async () => {
        const { prompts } = await fitText();
        if (!prompts) return [];
        const onTokens = (done: number, total: number) =>
          options.onProgress?.({ stage: "sample", done, total, unit: "tokens" });
        return sampleText(model, prompts, { ...context, sequenceLength, bos, kept: await kept(), onTokens });
      }),
      task,
      measuredOn,
      kept,
      close() {
        lanes?.close();
        model.close();
      },
    };
  } catch (error) {
    model.close();
    throw error;
  }
}

/** A text, or a part of it, as documents name it. */
export function textOf(
  { name, sha256 }: Pick<Calibration, "name" | "sha256">,
  part: TextPart,
): CalibrationText {
  return { name, sha256, part };
}

/** A part of the calibration text, to be scored. */
export async function partOf(
  { calibration: { name, sha256 }, model, sequenceLength, bos, split }: OpenedModel,
  part: TextPart,
): Promise<WindowedText> {
  const windows = { sequences: split[part], first: firstScored(bos) };
  const bytes = scoredBytes(windows, await model.tokenBytes());
  return { name: `${name} (${part} part)`, sha256, sequenceLength, windows, bytes };
}
