import type { Analysis, PartialAnalysis } from "../documents/analysis.ts";
import type { Plan } from "../documents/plan.ts";
import type { Report } from "../documents/report.ts";
import { SCHEMA_VERSION } from "../documents/schema-version.ts";
import { AbortedError } from "../errors.ts";
import { isRuinous } from "../evaluation/verdict.ts";
import { OutputError } from "../files/errors.ts";
import { checkUnchanged } from "../files/unchanged.ts";
import { readGguf } from "../gguf/read.ts";
import { RuntimeError } from "../model/errors.ts";
import { MOST_FINALISTS } from "../repair/finalists.ts";
import { DEFAULT_REPAIR, type RepairChoice } from "../repair/kinds.ts";
import { release } from "../repair/mended.ts";
import { isRuined } from "../report/verdict.ts";
import { budgetFromRatio, checkBudget, parseLayers } from "../selection/budget.ts";
import { measuredSet } from "../selection/measurements.ts";
import { findAnyMethod, isMeasured } from "../selection/methods.ts";
import { dropPrediction, explicitPlan, keepPrediction, predictionLayers } from "../selection/plan.ts";
import { VERSION } from "../version.ts";
import { ANALYZE_OPTIONS, type AnalyzeOptions, analyzeOpened } from "./analyze.ts";
import { applyDescribed } from "./apply.ts";
import { checkOptions } from "./check-options.ts";
import { plan as planFrom } from "./plan.ts";
import { CHOOSE_OPTIONS, type ChooseOptions, checkChoice, choose, methodFor } from "./stages/choose.ts";
import { type Cost, measureCost } from "./stages/cost.ts";
import {
  countParameters,
  type DescribedModel,
  describeModel,
  fileBytes,
  identified,
} from "./stages/describe.ts";
import { forecast, type Work } from "./stages/forecast.ts";
import { foreseeCost } from "./stages/foreseen-cost.ts";
import { mostNotRuined } from "./stages/most-within.ts";
import { type OpenedModel, openForCalibration } from "./stages/open.ts";
import type { OptionNames } from "./stages/option-names.ts";
import { SAMPLE_OPTIONS, type SampleOptions } from "./stages/options.ts";
import { checkFiles, defaultOutput, FILE_OPTIONS, type FileOptions } from "./stages/output.ts";
import { choiceWork } from "./stages/planner.ts";
import { planQuantization, type Quantization } from "./stages/quantization.ts";
import { divergenceOf, type Repaired, repair } from "./stages/repair.ts";
import { repairBest } from "./stages/repair-best.ts";
import { checkRepair } from "./stages/repair-possible.ts";
import { repairWork } from "./stages/repair-work.ts";
import { estimateSpeedup, outputSize } from "./stages/savings.ts";

export interface PruneOptions extends AnalyzeOptions, ChooseOptions, FileOptions, SampleOptions {
  /** How to give back by linear maps what the removed layers did; `off` by default. */
  readonly repair?: RepairChoice | undefined;
  /** Write nothing: what the file would hold is worked out, and what it would cost is measured with the layers skipped. */
  readonly dryRun?: boolean | undefined;
  /** Time the model before and after, on a CPU; not done by default. */
  readonly speed?: boolean | undefined;
  /** Keep the similarity matrix in the Report's analysis. */
  readonly matrix?: boolean | undefined;
}

const PRUNE_OPTIONS: OptionNames<PruneOptions> = {
  ...ANALYZE_OPTIONS,
  ...CHOOSE_OPTIONS,
  ...FILE_OPTIONS,
  ...SAMPLE_OPTIONS,
  repair: true,
  dryRun: true,
  speed: true,
  matrix: true,
};

/**
 * The whole way: measures a model, decides which layers go, writes it without them, and measures what that cost on
 * calibration text that the analysis has not seen.
 * @throws UsageError, GgufError, ArchitectureError, CalibrationError, SelectionError, RuntimeError, OutputError,
 *   AbortedError; nothing is left behind, but for the whole file when only the measuring of its cost failed
 * @example
 * ```ts
 * import { prune } from "lorp";
 *
 * const { plan, verdict } = await prune("model.gguf", {
 *   remove: 5,
 *   method: "lorp",
 *   sequences: 4,
 *   onProgress: ({ stage, done, total }) => console.log(stage, done / total),
 * });
 * console.log(plan.removedLayers, verdict?.sentence);
 * ```
 */
export async function prune(path: string, options: PruneOptions): Promise<Report> {
  const report = await pruneWhole(path, options);
  return options.matrix ? report : withoutMatrix(report);
}

async function pruneWhole(path: string, options: PruneOptions): Promise<Report> {
  checkOptions(options, PRUNE_OPTIONS);
  checkChoice(options);
  if (options.method !== undefined) findAnyMethod(options.method);
  const described = await describeModel(path, options);
  // Another set of the same size, or a larger file, might miss a goal of bytes or speed.
  const isFree = options.targetSize === undefined && options.speedup === undefined;
  checkRepair({ ...described, inPlace: !isFree }, options.repair);
  // What cannot be is refused before any work.
  if (options.layers !== undefined) explicitPlan(described.summary, parseLayers(options.layers));
  const method = methodFor(described, options);
  const mode = options.repair ?? DEFAULT_REPAIR;
  const quantization = await planQuantization(described, options);
  await checkFiles(described.file.paths, outputIfKnown(described, options), options);

  const opened = await openForCalibration(described, options);
  try {
    // What a model of embeddings takes is not told by how fast it predicts.
    if (!described.architecture.states.embeds) {
      // A model that computes NaN is refused before the work, of which not all would notice.
      if (!options.dryRun) await opened.lanes.run((session) => session.score(opened.split.report[0]!));
      const work = await workAhead(described, opened, method, options);
      await forecast(opened, opened.split.report[0]!, work, options);
    }
    const { analysis, plan: chosen } = await decide(described, opened, options);
    const mend = isFree ? repairBest : repair;
    const repaired = await mend(described, opened, chosen, mode, { ...options, inPlace: !isFree });
    const plan = options.dropMtp ? dropPrediction(repaired.plan) : repaired.plan;
    if (!options.dryRun) warnOfRuin(repaired.plan, options);
    const report: Report = {
      schemaVersion: SCHEMA_VERSION,
      lorpVersion: VERSION,
      input: { path, bytes: fileBytes(described.file), parameters: countParameters(described.file) },
      output: null,
      ...(analysis && { analysis }),
      plan,
      perplexity: null,
      settings: { ...settingsInForce(options), device: opened.model.runtime.device },
    };
    try {
      const whole = { ...repaired, plan };
      const made = options.dryRun
        ? await foresee(described, whole, opened, analysis, options)
        : await write(described, whole, quantization, opened, analysis, options);
      return { ...report, ...made };
    } finally {
      release(repaired.live);
    }
  } finally {
    opened.close();
  }
}

/** Says before a model is written that it will be of no use, where the choice was made by what shows it. */
function warnOfRuin(plan: Plan, { onNotice }: PruneOptions): void {
  const { removedLayers, measurements, repair: mended } = plan;
  if (measurements?.objective !== "kl") return;
  const loss = mended ? divergenceOf(mended) : measuredSet(plan, removedLayers)?.loss;
  if (loss === undefined || !isRuinous(loss)) return;
  onNotice?.(
    `Without these ${removedLayers.length} layers the model will be ruined: KL divergence ${loss.toFixed(2)} nats a token on the text that they were chosen by. Ask for fewer layers.`,
  );
}

/** What a dry run says in place of what is written. */
async function foresee(
  described: DescribedModel,
  { plan, repair: maps, live: repairs = [] }: Repaired,
  opened: OpenedModel,
  analysis: Analysis | undefined,
  options: PruneOptions,
): Promise<Pick<Report, "expected" | "reach"> & Cost> {
  const { bytes, parameters } = outputSize(described, plan, await described.fingerprint(), maps);
  const cost = await foreseeCost(described, { plan: keepPrediction(plan), repairs }, opened, options);
  const reach = await reachOf(cost, plan, opened, analysis);
  await checkUnchanged(described.file);
  return {
    expected: {
      ...(options.quantize === undefined && { bytes }),
      parameters,
      speedup: estimateSpeedup(described, plan.removedLayers),
    },
    ...cost,
    ...(reach && { reach }),
  };
}

/** How many layers could go instead, where those that go ruin the model. */
async function reachOf(
  { verdict }: Cost,
  plan: Plan,
  opened: OpenedModel,
  analysis: Analysis | undefined,
): Promise<Report["reach"]> {
  return isRuined(verdict) && analysis
    ? mostNotRuined(opened, analysis, keepPrediction(plan).removedLayers.length)
    : undefined;
}

async function write(
  described: DescribedModel,
  repaired: Repaired,
  quantization: Quantization | undefined,
  opened: OpenedModel,
  analysis: Analysis | undefined,
  options: PruneOptions,
): Promise<Pick<Report, "output" | "reach"> & Cost> {
  const output = await applyDescribed(described, repaired, quantization, options);
  const parameters = countParameters(await readGguf(output.path));
  try {
    const cost = await measureCost(output.path, described, repaired.plan, opened, options);
    // A GPU may not have held both models, so that the original is closed there.
    const reach =
      opened.model.runtime.device === "cpu" && (await reachOf(cost, repaired.plan, opened, analysis));
    await checkUnchanged(described.file);
    return { output: { ...output, parameters }, ...cost, ...(reach && { reach }) };
  } catch (error) {
    throw afterWriting(output.path, error);
  }
}

async function workAhead(
  described: DescribedModel,
  opened: OpenedModel,
  method: string,
  { layers, repair: mode = DEFAULT_REPAIR }: PruneOptions,
): Promise<Work[]> {
  const { split, sequenceLength } = opened;
  const measured = layers === undefined && isMeasured(findAnyMethod(method));
  return [
    ...(layers === undefined ? choiceWork(opened, measured ? 1 : 0) : []),
    ["to repair", await repairWork(described, opened, mode, measured ? MOST_FINALISTS : 0)],
    ["to measure the result", 2 * split.report.length * sequenceLength],
  ];
}

/** Where the model will be written, unless that follows from what is measured; then it is checked when it is written. */
function outputIfKnown(
  { architecture, summary, stem: usualStem }: DescribedModel,
  options: PruneOptions,
): string | undefined {
  const { remove, ratio, layers, quantize, stem = usualStem } = options;
  const { analysedBlocks } = architecture;
  if (remove !== undefined) checkBudget(remove, analysedBlocks);
  const share = ratio === undefined ? undefined : budgetFromRatio(ratio, analysedBlocks);
  const count = layers === undefined ? (remove ?? share) : parseLayers(layers).length;
  const dropped = options.dropMtp ? predictionLayers(summary).length : 0;
  const usual =
    count === undefined
      ? undefined
      : defaultOutput(stem, { removedLayers: { length: count + dropped }, model: summary }, quantize);
  return options.dryRun ? undefined : (options.output ?? usual);
}

/** What has ended the measuring of what it cost, when the model is written. */
function afterWriting(path: string, error: unknown): unknown {
  if (error instanceof AbortedError) {
    return new AbortedError(
      `Stopped while measuring what it cost. ${path} is written, and whole: "lorp eval" can measure it.`,
    );
  }
  if (error instanceof RuntimeError || error instanceof OutputError) {
    error.message = `${path} is written, and whole, but what it cost could not be measured. ${error.message}`;
  }
  return error;
}

interface Decided {
  /** Absent when the user named the layers. */
  readonly analysis?: Analysis;
  readonly plan: Plan;
}

async function decide(
  described: DescribedModel,
  opened: OpenedModel,
  options: PruneOptions,
): Promise<Decided> {
  if (options.layers !== undefined) {
    const model = await identified(described);
    const named: PartialAnalysis = { schemaVersion: SCHEMA_VERSION, model, similarity: [] };
    return { plan: planFrom(named, { layers: options.layers, method: options.method }) };
  }
  const analysis = await analyzeOpened(described, opened, options);
  return { analysis, plan: await choose(described, opened, analysis, options) };
}

/** A Report as it is printed: the similarity matrix is large, and an Analysis keeps it. */
export function withoutMatrix(report: Report): Report {
  if (!report.analysis) return report;
  const { similarity: _, ...analysis } = report.analysis;
  return { ...report, analysis };
}

/** The options that a Report tells: those that decide what comes out, and nothing that a caller adds to them. */
const TOLD = [
  "remove",
  "ratio",
  "layers",
  "targetSize",
  "speedup",
  "maxLoss",
  "method",
  "objective",
  "task",
  "evaluations",
  "searchTime",
  "patternSafe",
  "dropMtp",
  "clusters",
  "seed",
  "calibration",
  "sequences",
  "sequenceLength",
  "repair",
  "output",
  "keepSplit",
  "splitMaxSize",
  "quantize",
  "imatrix",
  "tensorType",
  "allowRequantize",
  "dryRun",
  "gpu",
  "gpuLayers",
  "rpc",
  "threads",
  "maxMemory",
  "cache",
  "resume",
] as const satisfies readonly (keyof PruneOptions)[];

function settingsInForce(options: PruneOptions): Record<string, unknown> {
  return Object.fromEntries(
    TOLD.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}
