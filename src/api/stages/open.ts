import { describeArchitecture } from "../../architecture/architecture.ts";
import { keepPattern } from "../../architecture/pattern.ts";
import { checkBlockCount } from "../../architecture/preconditions.ts";
import type { Architecture } from "../../architecture/types.ts";
import { type FitText, fitTextOf } from "../../calibration/fit-text.ts";
import { type Calibration, loadCalibration } from "../../calibration/load.ts";
import {
  DEFAULT_SEQUENCE_LENGTH,
  type DealtText,
  dealSequences,
  type TextPart,
} from "../../calibration/sequences.ts";
import type { CalibrationText } from "../../documents/analysis.ts";
import type { ModelSummary } from "../../documents/model.ts";
import { scoredBytes } from "../../evaluation/scores.ts";
import type { WindowedText } from "../../evaluation/text.ts";
import { checkWindows, firstScored } from "../../evaluation/windows.ts";
import { cacheFolder } from "../../files/cache-folder.ts";
import { type CacheKey, openCachePlace } from "../../files/cache-place.ts";
import { type KeptValues, openKeptValues, valuesInMemory } from "../../files/kept-values.ts";
import { checkUnchanged } from "../../files/unchanged.ts";
import { readGguf } from "../../gguf/read.ts";
import type { GgufFile, TensorInfo } from "../../gguf/types.ts";
import type { Lanes } from "../../model/lanes.ts";
import { type Model, openModel } from "../../model/model.ts";
import { fingerprint } from "../../provenance/fingerprint.ts";
import { sampleText } from "../../repair/sampled-text.ts";
import { formatBytes, formatDepth } from "../../report/format.ts";
import { outputStem } from "../../sources/resolve.ts";
import { VERSION } from "../../version.ts";
import type { CacheOptions, CalibrationOptions, ModelRunOptions } from "./options.ts";
import { type ChoiceTask, openTask, type TaskOptions } from "./task.ts";

/** A model file and what its architecture says, without llama.cpp. */
export interface DescribedModel {
  readonly file: GgufFile;
  readonly architecture: Architecture;
  readonly summary: ModelSummary;
  /** What tells the model from any other, made of all its bytes when it is first asked for. */
  fingerprint(): Promise<string>;
  /** What the names of files made from it begin with, unless the user says. */
  readonly stem: string;
}

/** @throws GgufError, ArchitectureError */
export async function describeModel(path: string, signal?: AbortSignal): Promise<DescribedModel> {
  const file = await readGguf(path, { signal });
  const architecture = describeArchitecture(file);
  checkBlockCount(file);
  const text = (key: string) => {
    const entry = file.metadata.get(key);
    return entry?.type === "string" ? String(entry.decode().value) : undefined;
  };
  const embeddingLength = Number(file.metadata.get(`${architecture.name}.embedding_length`)?.decode().value);
  const name = text("general.name");
  return {
    file,
    fingerprint: once(() => fingerprint(file, signal)),
    architecture,
    stem: await outputStem(file.paths[0]!),
    summary: {
      architecture: architecture.name,
      ...(name === undefined ? {} : { name }),
      blockCount: architecture.blockCount,
      analysedBlocks: architecture.analysedBlocks,
      ...(architecture.states.loops > 1 && { loops: architecture.states.loops }),
      ...(Number.isInteger(embeddingLength) ? { embeddingLength } : {}),
      parameters: countParameters(file),
      fileBytes: fileBytes(file),
      constraints: architecture.constraints,
    },
  };
}

/** The model with constraints that keep its sliding-window pattern in place. */
export function withPattern(described: DescribedModel): DescribedModel {
  const { architecture } = described;
  const summary = keepPattern(described.summary);
  return { ...described, summary, architecture: { ...architecture, constraints: summary.constraints } };
}

/** A model as documents name it. */
export async function identified(described: DescribedModel): Promise<ModelSummary> {
  return { fingerprint: await described.fingerprint(), ...described.summary };
}

/** Number of weights in all tensors. */
export function countParameters({
  tensors,
}: {
  readonly tensors: readonly Pick<TensorInfo, "shape">[];
}): number {
  return tensors.reduce((sum, { shape }) => sum + shape.reduce((product, ne) => product * ne, 1), 0);
}

/** Bytes of the file, or of all parts of a split one. */
export function fileBytes(file: GgufFile): number {
  return file.sizes.reduce((sum, size) => sum + size, 0);
}

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

function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let done: Promise<Result> | undefined;
  return () => {
    done ??= work();
    return done;
  };
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
