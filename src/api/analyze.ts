import { captureSimilarity } from "../analysis/capture.ts";
import { completeAnalysis } from "../analysis/complete.ts";
import type { Analysis } from "../documents/analysis.ts";
import { SCHEMA_VERSION } from "../documents/fields.ts";
import { VERSION } from "../version.ts";
import { type DescribedModel, describeModel, type OpenedModel, openForCalibration } from "./open.ts";
import type { CalibrationOptions, ClusterOptions, ModelRunOptions } from "./options.ts";

export interface AnalyzeOptions extends CalibrationOptions, ClusterOptions, ModelRunOptions {}

/**
 * Runs calibration text through a model and measures how alike the inputs of its blocks are.
 * @param path a GGUF file, or any part of a split one
 * @throws GgufError, ArchitectureError, CalibrationError, RuntimeError, AbortedError
 */
export async function analyze(path: string, options: AnalyzeOptions = {}): Promise<Analysis> {
  const described = await describeModel(path, options.signal);
  const opened = await openForCalibration(described, options);
  try {
    return await analyzeOpened(described, opened, options);
  } finally {
    opened.close();
  }
}

/** As `analyze`, on a model that is open already. */
export async function analyzeOpened(
  { summary }: DescribedModel,
  { session, split, calibration, sequenceLength }: OpenedModel,
  options: AnalyzeOptions,
): Promise<Analysis> {
  const sequences = split.analysis;
  const tokens = sequences.length * sequenceLength;
  const onProgress = (done: number) =>
    options.onProgress?.({ stage: "capture", done, total: tokens, unit: "tokens" });
  onProgress(0);
  const { similarity } = await captureSimilarity(session, sequences, { onProgress });
  return completeAnalysis(
    {
      schemaVersion: SCHEMA_VERSION,
      lorpVersion: VERSION,
      model: summary,
      settings: {
        calibration: { name: calibration.name, sha256: calibration.sha256 },
        sequences: sequences.length,
        sequenceLength,
        tokens,
      },
      similarity,
    },
    options,
  );
}
