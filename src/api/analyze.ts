import { createHash } from "node:crypto";
import { assess, isCheckpoint } from "../analysis/adaptive.ts";
import { type CaptureCache, openCaptureCache } from "../analysis/cache.ts";
import {
  type Capture,
  captureSimilarity,
  countTokens,
  meanSimilarity,
  type SequenceSums,
} from "../analysis/capture.ts";
import { completeAnalysis } from "../analysis/complete.ts";
import { rls } from "../analysis/locality.ts";
import { spreadOut } from "../calibration/sequences.ts";
import type { Analysis, Confidence } from "../documents/analysis.ts";
import { SCHEMA_VERSION } from "../documents/schema-version.ts";
import { AbortedError } from "../errors.ts";
import { cacheFolder } from "../files/cache-folder.ts";
import { openCachePlace } from "../files/cache-place.ts";
import { checkUnchanged } from "../files/unchanged.ts";
import { RuntimeError } from "../model/errors.ts";
import type { Lanes } from "../model/lanes.ts";
import { VERSION } from "../version.ts";
import { checkOptions } from "./check-options.ts";
import { type DescribedModel, describeModel, identified } from "./stages/describe.ts";
import { forecast } from "./stages/forecast.ts";
import { type OpenedModel, openForCalibration, textOf } from "./stages/open.ts";
import type { OptionNames } from "./stages/option-names.ts";
import {
  CACHE_OPTIONS,
  CALIBRATION_OPTIONS,
  type CacheOptions,
  type CalibrationOptions,
  type ModelRunOptions,
  RUN_OPTIONS,
} from "./stages/options.ts";
import { choiceWork } from "./stages/planner.ts";
import { PURPOSE_OPTIONS, type Purpose, type PurposeOptions, purposeOf } from "./stages/purpose.ts";

export interface AnalyzeOptions extends CalibrationOptions, PurposeOptions, ModelRunOptions, CacheOptions {}

export const ANALYZE_OPTIONS: OptionNames<AnalyzeOptions> = {
  ...CALIBRATION_OPTIONS,
  ...PURPOSE_OPTIONS,
  ...RUN_OPTIONS,
  ...CACHE_OPTIONS,
};

/** Other answers that are worth telling. */
const MOST_ALTERNATIVES = 5;

/**
 * Runs calibration text through a model and measures how alike the inputs of its layers are: on as many sequences as
 * `sequences` says, or else until more of them are unlikely to change which layers go.
 * @param path a GGUF file, or any part of a split one
 * @throws GgufError, ArchitectureError, CalibrationError, RuntimeError, UsageError, CheckpointError, AbortedError
 * @example
 * ```ts
 * import { analyze, writeDocument } from "lorp";
 *
 * const analysis = await analyze("model.gguf", { sequences: 8 });
 * console.log(analysis.rls, analysis.clusters);
 * await writeDocument("analysis.json", analysis);
 * ```
 */
export async function analyze(path: string, options: AnalyzeOptions = {}): Promise<Analysis> {
  checkOptions(options, ANALYZE_OPTIONS);
  const described = await describeModel(path, options);
  const opened = await openForCalibration(described, options);
  try {
    // What a model of embeddings takes is not told by how fast it predicts.
    if (!described.architecture.states.embeds) {
      await forecast(opened, opened.split.analysis[0]!, choiceWork(opened, 0), options);
    }
    return await analyzeOpened(described, opened, options);
  } finally {
    opened.close();
  }
}

/** As `analyze`, on a model that is open already. */
export async function analyzeOpened(
  described: DescribedModel,
  opened: OpenedModel,
  options: AnalyzeOptions,
): Promise<Analysis> {
  const { calibration, sequenceLength, bos } = opened;
  const { architecture, summary } = described;
  const lanes = opened.model.openLanes({ sequenceLength, states: architecture.states });
  try {
    const cache = options.cache ? await openCache(opened, lanes, options) : undefined;
    const purpose = purposeOf(summary, options);
    const { similarity, measured, tokens } = await measure(described, opened, lanes, cache, purpose, options);
    const analysis = completeAnalysis(
      {
        schemaVersion: SCHEMA_VERSION,
        lorpVersion: VERSION,
        model: await identified(described),
        settings: {
          calibration: textOf(calibration, "analysis"),
          bos: bos >= 0,
          sequences: measured.length,
          sequenceLength,
          tokens,
          device: opened.model.runtime.device,
        },
        similarity,
      },
      options,
    );
    return measured.length < 2 ? analysis : { ...analysis, confidence: confidenceOf(measured, purpose) };
  } finally {
    lanes.close();
  }
}

/** Runs the sequences, all or until the answer has settled; what is measured is kept for later runs. */
async function measure(
  { file }: DescribedModel,
  { split, sequenceLength, bos }: OpenedModel,
  lanes: Lanes,
  cache: CaptureCache | undefined,
  purpose: Purpose,
  options: AnalyzeOptions,
): Promise<Capture> {
  const sequences = options.sequences === undefined ? spreadOut(split.analysis) : split.analysis;
  const first = bos < 0 ? 0 : 1;
  const all = sequences.length * (sequenceLength - first);
  let latest: readonly SequenceSums[] = [];
  let certainty = "";
  const report = (total: number) => {
    const done = countTokens(latest);
    const note = latest.length > 0 ? `RLS ${localityOf(latest)}${certainty}` : undefined;
    const known = Math.min(done, countTokens(cache?.earlier ?? []));
    options.onProgress?.({ stage: "capture", done, total, unit: "tokens", known, note });
  };
  const onSequence = async (measured: readonly SequenceSums[]) => {
    // Nothing is kept of another model than the one that was named.
    await checkUnchanged(file);
    latest = measured;
    await cache?.offer(measured);
    if (options.sequences !== undefined || !isCheckpoint(measured.length)) {
      report(all);
      return false;
    }
    const { settled, agreement, rlsStandardError } = assess(measured, purpose.assessment(), {
      outOf: sequences.length,
      hurry: true,
    });
    const sure = Math.round(100 * agreement.layers);
    certainty = ` ± ${rlsStandardError.toFixed(3)}, same layers in ${sure} % of resamples`;
    report(settled ? countTokens(measured) : all);
    return settled;
  };
  report(all);
  try {
    const capture = await captureSimilarity(lanes, sequences, { first, earlier: cache?.earlier, onSequence });
    await cache?.finish(capture.measured);
    return capture;
  } catch (error) {
    if (!cache) throw error;
    if (error instanceof AbortedError) {
      await cache.interrupt(latest);
      throw new AbortedError(`Stopped after ${latest.length} sequences; ${RESUME}`);
    }
    // Worth keeping, but what went wrong first is what must be told.
    const kept = await cache.interrupt(latest).then(
      () => true,
      () => false,
    );
    if (!(error instanceof RuntimeError) || !kept || latest.length === 0) throw error;
    const message = `${error.message} The ${latest.length} sequences before it are kept; ${RESUME}`;
    throw new RuntimeError(error.code, message, { cause: error });
  }
}

const RESUME = "the same with `resume` goes on from there.";

/** The locality score of what has been measured so far. */
function localityOf(measured: readonly SequenceSums[]): string {
  const score = rls(meanSimilarity(measured));
  return score?.toFixed(3) ?? "none";
}

async function openCache(
  opened: OpenedModel,
  { microBatch }: Lanes,
  { sequences, resume = false }: AnalyzeOptions,
): Promise<CaptureCache> {
  const { calibration, model, sequenceLength, bos, split } = opened;
  const key = {
    ...(await opened.measuredOn()),
    text: createHash("sha256").update(calibration.text).digest("hex"),
    sequenceLength,
    bos,
    order: sequences === undefined ? `spread over ${split.analysis.length}` : "consecutive",
    microBatch,
    repacked: model.repacked,
  };
  return openCaptureCache(await openCachePlace(cacheFolder(), "captures", key), resume);
}

function confidenceOf(
  measured: readonly SequenceSums[],
  { method, budget, assessment }: Purpose,
): Confidence {
  const { alternatives, ...assessed } = assess(measured, assessment());
  return { method, budget, ...assessed, alternatives: alternatives.slice(0, MOST_ALTERNATIVES) };
}
