import { loadCalibration } from "../calibration/load.ts";
import type { Lanes } from "../model/lanes.ts";
import type { Model } from "../model/model.ts";
import { type Divergence, divergenceOf } from "./divergence.ts";
import { bitsPerByte, type Perplexity, perplexityOf } from "./perplexity.ts";
import { type ScoreWindowsOptions, scoredBytes, scoreWindows } from "./scores.ts";
import { cutWindows, type WindowSettings, type Windows } from "./windows.ts";

/** A text as windows of a model's tokens. */
export interface WindowedText {
  readonly name: string;
  readonly sha256: string;
  readonly sequenceLength: number;
  readonly windows: Windows;
  /** Bytes of the tokens that are scored. */
  readonly bytes: number;
}

/** Tokens of all windows of a text. */
export function tokensOf({ windows, sequenceLength }: WindowedText): number {
  return windows.sequences.length * sequenceLength;
}

/**
 * @param path undefined for the text that comes with the package
 * @throws CalibrationError
 */
export async function openText(
  model: Model,
  path: string | undefined,
  settings: WindowSettings,
): Promise<WindowedText> {
  const { name, sha256, text } = await loadCalibration(path);
  const windows = cutWindows(await model.tokenize(text), settings);
  const { sequenceLength } = settings;
  return { name, sha256, sequenceLength, windows, bytes: scoredBytes(windows, await model.tokenBytes()) };
}

export interface SideMeasures extends Perplexity {
  readonly bitsPerByte: number;
}

/** What a model makes of a text, and how that differs from its base. */
export interface TextMeasures extends SideMeasures {
  readonly base?: SideMeasures &
    Divergence & { /** Perplexity / the base's. */ readonly perplexityRatio: number };
}

/**
 * Scores a text, side by side with the base where there is one, or against its logits kept earlier.
 * @throws RuntimeError, AbortedError
 */
export async function measureText(
  lanes: Lanes,
  { windows, bytes }: WindowedText,
  options: ScoreWindowsOptions,
): Promise<TextMeasures> {
  const scores = await scoreWindows(lanes, windows, options);
  const side = (logProb: Float64Array): SideMeasures => ({
    ...perplexityOf(logProb),
    bitsPerByte: bitsPerByte(logProb, bytes),
  });
  const measures = side(scores.logProb);
  if (scores.kl.length === 0) return measures;
  const base = side(scores.baseLogProb);
  const perplexityRatio = measures.perplexity / base.perplexity;
  return { ...measures, base: { ...base, perplexityRatio, ...divergenceOf(scores) } };
}
