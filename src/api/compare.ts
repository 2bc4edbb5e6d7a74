import type { SequenceSettings } from "../calibration/sequences.ts";
import type { Comparison } from "../documents/comparison.ts";
import { SCHEMA_VERSION } from "../documents/schema-version.ts";
import type { GradeName } from "../documents/verdict.ts";
import { UsageError } from "../errors.ts";
import { scoredBytes } from "../evaluation/scores.ts";
import { openText, tokensOf, type WindowedText } from "../evaluation/text.ts";
import { GRADES, verdictOf } from "../evaluation/verdict.ts";
import { checkUnchanged } from "../files/unchanged.ts";
import type { Lanes } from "../model/lanes.ts";
import type { Model } from "../model/model.ts";
import { quantizationType } from "../model/quantize.ts";
import { checkBudget, mostUseful } from "../selection/budget.ts";
import { legalSizes } from "../selection/constraints.ts";
import { findAnyMethod, isMeasured, METHODS } from "../selection/methods.ts";
import { sum } from "../statistics.ts";
import { VERSION } from "../version.ts";
import { ANALYZE_OPTIONS, type AnalyzeOptions, analyzeOpened } from "./analyze.ts";
import { checkOptions } from "./check-options.ts";
import { DEFAULT_CHOICE } from "./stages/choose.ts";
import { type DescribedModel, describeModel } from "./stages/describe.ts";
import { forecast, type Work } from "./stages/forecast.ts";
import { lossesOf } from "./stages/objective.ts";
import { type OpenedModel, openForCalibration, partOf } from "./stages/open.ts";
import type { OptionNames } from "./stages/option-names.ts";
import {
  choiceWork,
  createPlanner,
  planIfAny,
  SEARCH_OPTIONS,
  type SearchOptions,
} from "./stages/planner.ts";
import { requirePredictions } from "./stages/predictions.ts";
import { isQuantized, planQuantization, type Quantization } from "./stages/quantization.ts";
import { estimateSpeedup, outputSize } from "./stages/savings.ts";
import { measureTypes, resourcesOf, type TypesToMeasure, type Variant } from "./stages/variants.ts";
import { costWithout } from "./stages/virtual-cost.ts";

/** What a method's choice of some number of layers costs. */
export type Candidate = Comparison["candidates"][number];

export interface CompareOptions extends Omit<AnalyzeOptions, "remove" | "ratio" | "method">, SearchOptions {
  /** Numbers of layers to remove; by default each from 1 to a third of the layers that the architecture allows. */
  readonly remove?: readonly number[] | undefined;
  /** Methods by name; by default all, or the default method alone where no numbers are named. */
  readonly methods?: readonly string[] | undefined;
  /** Texts to measure on beside the held-back calibration text, by path. */
  readonly text?: readonly string[] | undefined;
  /** Compare only what keeps a sliding-window pattern in place, as `prune` has it. */
  readonly patternSafe?: boolean | undefined;
  /** Windows of each text that are scored; 24 or as many as it has by default. */
  readonly textSequences?: number | undefined;
  /**
   * Types of quantisation of the whole model to measure beside removals, and together with them: of an F32, F16 or BF16
   * model. Needs the divergence.
   */
  readonly types?: readonly string[] | undefined;
  /** Path of the model's importance matrix, for `types`. */
  readonly imatrix?: string | undefined;
  /** Hears of each variant of another type as soon as it is measured. */
  readonly onVariant?: ((variant: Variant) => void) | undefined;
  /** Hears of each choice as soon as it is measured. */
  readonly onCandidate?: ((candidate: Candidate) => void) | undefined;
  /** Whether to run the model as it is beside each candidate, for the KL divergence, which takes twice as long. */
  readonly divergence?: boolean | undefined;
}

export const COMPARE_OPTIONS: OptionNames<CompareOptions> = {
  ...ANALYZE_OPTIONS,
  ...SEARCH_OPTIONS,
  methods: true,
  text: true,
  textSequences: true,
  patternSafe: true,
  types: true,
  imatrix: true,
  onVariant: true,
  onCandidate: true,
  divergence: true,
};

/** Enough to tell methods apart on one text in the time that a text has: some 12,000 tokens. */
const DEFAULT_TEXT_SEQUENCES = 24;

/** How much of the usual work of one choice the search takes for all numbers of layers together where none are named. */
const FRONTIER_WORK = 2;

type Measure = Candidate["measures"][number];

/**
 * Measures what every method's choice costs for every number of layers, by virtual pruning: perplexity, and KL
 * divergence from the model as it is, on the held-back calibration text and on further texts. A method that finds no
 * legal choice of a size is left out there.
 * @throws UsageError, GgufError, ArchitectureError, CalibrationError, RuntimeError, AbortedError
 * @example
 * ```ts
 * import { compare } from "lorp";
 *
 * const { candidates } = await compare("model.gguf", {
 *   remove: [2, 5],
 *   methods: ["lorp", "shortgpt"],
 *   sequences: 4,
 * });
 * for (const { method, budget, measures } of candidates) console.log(method, budget, measures[0]?.klDivergence);
 * ```
 */
export async function compare(path: string, options: CompareOptions): Promise<Comparison> {
  const { divergence = true } = options;
  const { methods = options.remove ? METHODS.map(({ name }) => name) : [DEFAULT_CHOICE] } = options;
  checkOptions(options, COMPARE_OPTIONS);
  for (const name of methods) findAnyMethod(name);
  if (options.objective === "task") {
    throw new UsageError(
      "OPTION_INVALID",
      "A comparison measures on texts, so it chooses by the `objective` kl or perplexity; lorp prune with `remove` chooses by a `task`.",
    );
  }
  if (options.remove?.length === 0) {
    throw new UsageError(
      "BUDGET_INVALID",
      "Say for how many layers to compare, such as `remove: [3, 5, 7]`.",
    );
  }
  const described = await describeModel(path, options);
  requirePredictions(described.architecture, "A comparison of methods");
  const { quantizations, typesLeftOut } = await planTypes(described, options);
  const remove = options.remove ?? upToAThird(described);
  for (const budget of remove) checkBudget(budget, described.architecture.analysedBlocks);

  const opened = await openForCalibration(described, options);
  try {
    const texts = await openTexts(opened, options);
    const rows = remove.length * methods.length;
    const searches = remove.length * methods.filter((name) => isMeasured(findAnyMethod(name))).length;
    const once = sum(texts.map(tokensOf));
    const work: readonly Work[] = [
      ...choiceWork(opened, options.remove ? searches : FRONTIER_WORK),
      ["to measure the results", once + rows * once * (divergence ? 2 : 1)],
      ["to measure types", 2 * once * quantizations.length * (1 + (options.remove ? rows : 1))],
    ];
    await forecast(opened, opened.split.report[0]!, work, options);
    const analysis = await analyzeOpened(described, opened, {
      ...options,
      remove: largestLegal(described, remove),
    });
    const losses = await lossesOf(opened, options.objective ?? "kl");
    const planner = createPlanner(opened, analysis, losses, {
      ...options,
      shared: options.remove ? 1 : remove.length / FRONTIER_WORK,
    });
    const { states } = described.architecture;
    const base = opened.model.openLanes({ sequenceLength: opened.sequenceLength, states, scores: true });
    try {
      const measure = measurer(opened, base, texts, options);
      const original = await measure([]);
      const candidates: Candidate[] = [];
      for (const budget of remove) {
        for (const method of methods) {
          const plan = await planIfAny(planner, method, budget);
          if (!plan) continue;
          const { removedLayers } = plan;
          const candidate: Candidate = {
            method,
            budget,
            removedLayers,
            bytes: outputSize(described, plan, await described.fingerprint()).bytes,
            speedup: estimateSpeedup(described, removedLayers),
            measures: await measure(removedLayers),
          };
          candidates.push(candidate);
          options.onCandidate?.(candidate);
        }
      }
      const variants =
        options.types &&
        (await variantsOf(candidates, original, { described, opened, base, texts, quantizations }, options));
      await checkUnchanged(described.file);
      const { constraints: _, ...model } = analysis.model;
      return {
        schemaVersion: SCHEMA_VERSION,
        lorpVersion: VERSION,
        model,
        analysis,
        texts: texts.map(({ name, sha256, sequenceLength, windows }, index) => ({
          name,
          sha256,
          sequences: windows.sequences.length,
          sequenceLength,
          original: original[index]!,
        })),
        candidates,
        ...(variants && { variants }),
        ...(typesLeftOut !== undefined && { typesLeftOut }),
        ...(divergence && { grades: GRADES }),
      };
    } finally {
      base.close();
    }
  } finally {
    opened.close();
  }
}

/**
 * Which types are measured; none of a model that is quantised already.
 * @throws UsageError `OPTION_INVALID`, `QUANTIZE_TYPE`; ImatrixError
 */
async function planTypes(
  described: DescribedModel,
  { types, imatrix, divergence = true }: CompareOptions,
): Promise<{ readonly quantizations: readonly Quantization[]; readonly typesLeftOut?: string }> {
  if (types === undefined) {
    if (imatrix === undefined) return { quantizations: [] };
    throw new UsageError(
      "OPTION_INVALID",
      "An importance matrix is for `types`: name some, or leave it out.",
    );
  }
  if (!divergence) {
    throw new UsageError(
      "OPTION_INVALID",
      "`types` are compared by their divergence from the original: leave out `divergence: false`, or the types.",
    );
  }
  if (isQuantized(described.file)) {
    return {
      quantizations: [],
      typesLeftOut:
        "The model is quantised already, and quantised once more it would lose twice, so that types would look worse than those which people download; of an F16, BF16 or F32 file they are compared.",
    };
  }
  const quantizations: Quantization[] = [];
  for (const quantize of new Set(types.map((type) => quantizationType(type, imatrix !== undefined)))) {
    const planned = await planQuantization(described, { quantize, imatrix });
    if (planned) quantizations.push(planned);
  }
  return { quantizations };
}

/** The original, what was removed of it, and its types, alone and together with what may well go. */
async function variantsOf(
  candidates: readonly Candidate[],
  original: readonly Measure[],
  task: Omit<TypesToMeasure, "removals" | "judge">,
  options: CompareOptions,
): Promise<Variant[]> {
  const whole = original.map((measure) => judged({ ...measure, klDivergence: 0, topAgreement: 1 }));
  const variants: Variant[] = [
    { ...(await resourcesOf(task.described, null, { removedLayers: [] })), measures: whole },
  ];
  for (const candidate of differentSets(candidates)) {
    const { measures } = candidate;
    variants.push({ ...(await resourcesOf(task.described, null, candidate)), measures });
  }
  const harmless = candidates.filter(({ measures }) => !isDamage(measures[0]?.verdict?.grade));
  const removals = options.remove ? candidates : harmless.length > 0 ? harmless : candidates.slice(0, 1);
  const quantized = await measureTypes(
    { ...task, removals: differentSets(removals), judge: judged },
    options,
  );
  return [...variants, ...quantized];
}

/** What several methods choose is one removal. */
function differentSets(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...new Map(candidates.map((each) => [each.removedLayers.join(), each])).values()];
}

const isDamage = (grade: GradeName | undefined) => grade === "damaged" || grade === "ruined";

/** The frontier to choose on. */
function upToAThird({ architecture: { constraints, analysedBlocks } }: DescribedModel): number[] {
  return legalSizes(constraints, analysedBlocks).filter(
    (size) => size > 0 && size <= mostUseful(analysedBlocks),
  );
}

/** The largest of the numbers of layers that the architecture allows to go; undefined if it allows none. */
function largestLegal(
  { architecture: { constraints, analysedBlocks } }: DescribedModel,
  budgets: readonly number[],
): number | undefined {
  return legalSizes(constraints, analysedBlocks).findLast((size) => budgets.includes(size));
}

/** The part of the calibration text that is kept for this first, then the texts asked for. */
async function openTexts(
  opened: OpenedModel,
  { text = [], textSequences }: CompareOptions,
): Promise<WindowedText[]> {
  const { model, sequenceLength, bos } = opened;
  const texts: WindowedText[] = [await partOf(opened, "report")];
  for (const path of text) {
    texts.push(await openSome(model, path, { sequenceLength, sequences: textSequences, bos }));
  }
  return texts;
}

async function openSome(
  model: Model,
  path: string,
  settings: SequenceSettings & { readonly bos: number },
): Promise<WindowedText> {
  const whole = await openText(model, path, { ...settings, protocol: "windows" });
  const kept = settings.sequences ?? DEFAULT_TEXT_SEQUENCES;
  const windows = { ...whole.windows, sequences: whole.windows.sequences.slice(0, kept) };
  return { ...whole, windows, bytes: scoredBytes(windows, await model.tokenBytes()) };
}

/** Measures a set of layers on every text. */
function measurer(
  opened: OpenedModel,
  base: Lanes,
  texts: readonly WindowedText[],
  { divergence = true, onProgress }: CompareOptions,
): (skip: readonly number[]) => Promise<Measure[]> {
  const total = sum(texts.map(tokensOf));
  return async (skip) => {
    const measures: Measure[] = [];
    let before = 0;
    for (const text of texts) {
      const cost = await costWithout(opened, skip, text, {
        base: divergence ? base : undefined,
        onProgress: (done) => onProgress?.({ stage: "evaluate", done: before + done, total, unit: "tokens" }),
      });
      measures.push(judged(cost));
      before += tokensOf(text);
    }
    return measures;
  };
}

function judged({ klDivergence, topAgreement, ...measure }: Measure): Measure {
  if (klDivergence === undefined || topAgreement === undefined) return measure;
  const distance = { klDivergence, topAgreement };
  return { ...measure, ...distance, verdict: verdictOf(distance) };
}
