import { DEFAULT_SEQUENCE_LENGTH } from "../calibration/sequences.ts";
import type { Samples } from "../documents/samples.ts";
import type { Grades } from "../documents/verdict.ts";
import { UsageError } from "../errors.ts";
import { type AnsweringSide, sequencesOf, type TokenizedTask, tokenizeTask } from "../evaluation/answer.ts";
import { openBaseCache } from "../evaluation/base-cache.ts";
import { compareContinuations, continuePrompts } from "../evaluation/samples.ts";
import { loadTask } from "../evaluation/tasks/load.ts";
import { openText, type WindowedText } from "../evaluation/text.ts";
import { GRADES } from "../evaluation/verdict.ts";
import { requireSameVocabulary } from "../evaluation/vocabulary.ts";
import { checkWindows, type Protocol, type WindowSettings } from "../evaluation/windows.ts";
import { checkUnchanged } from "../files/unchanged.ts";
import { type Model, openModel } from "../model/model.ts";
import { type LayerList, parseLayers } from "../selection/budget.ts";
import { explicitPlan } from "../selection/plan.ts";
import { sum } from "../statistics.ts";
import { VERSION } from "../version.ts";
import { checkOptions } from "./check-options.ts";
import { type DescribedModel, describeModel } from "./stages/describe.ts";
import { forecast } from "./stages/forecast.ts";
import { bosOf, introduce } from "./stages/open.ts";
import type { OptionNames } from "./stages/option-names.ts";
import { type ModelRunOptions, RUN_OPTIONS, SAMPLE_OPTIONS, type SampleOptions } from "./stages/options.ts";
import { requirePredictions } from "./stages/predictions.ts";
import { measureResources, type Resources } from "./stages/resources.ts";
import {
  type EvaluatedTask,
  type EvaluatedText,
  evaluateTasks,
  evaluateTexts,
  recordTexts,
} from "./stages/score.ts";

export interface EvaluateOptions extends ModelRunOptions, SampleOptions {
  /** The model to compare with: a file of the same vocabulary; with `skipLayers` the model itself by default. */
  readonly against?: string | undefined;
  /** Layers made the identity, e.g. `[5, 7]` or `"5,7,11-13"`: scores exactly what the file without them would score. */
  readonly skipLayers?: LayerList | undefined;
  /** Texts to score, by path; lorp's own where neither texts nor tasks are given (an empty list gives none). */
  readonly text?: readonly string[] | undefined;
  /** Tasks, of multiple choice or of prompts judged by a pattern, by path. */
  readonly task?: readonly string[] | undefined;
  /** How texts are cut and what is scored. */
  readonly protocol?: Protocol | undefined;
  /** Tokens in a window; 512, or the model's own context if that is shorter, by default. */
  readonly sequenceLength?: number | undefined;
  /** Whether texts begin with the model's BOS token where it wants one; by default they do. */
  readonly bos?: boolean | undefined;
  /** Windows scored of each text; all by default. */
  readonly sequences?: number | undefined;
  /** File that keeps the base's logits on the texts, for later runs with the same base and texts; needs a base. */
  readonly baseCache?: string | undefined;
  /** Time the model, and its base; not done by default. */
  readonly speed?: boolean | undefined;
}

const EVALUATE_OPTIONS: OptionNames<EvaluateOptions> = {
  ...RUN_OPTIONS,
  ...SAMPLE_OPTIONS,
  against: true,
  skipLayers: true,
  text: true,
  task: true,
  protocol: true,
  sequenceLength: true,
  bos: true,
  sequences: true,
  baseCache: true,
  speed: true,
};

/** What a model scores. */
export interface Evaluation {
  readonly lorpVersion: string;
  readonly model: string;
  readonly base: string | null;
  /** Layers that were made the identity. */
  readonly skippedLayers: readonly number[];
  readonly protocol: Protocol;
  /** Whether texts begin with the model's BOS token. */
  readonly bos: boolean;
  readonly texts: readonly EvaluatedText[];
  readonly tasks: readonly EvaluatedTask[];
  /** The model's file, as it is, then its base's if that is another one; empty unless asked for. */
  readonly resources: readonly Resources[];
  /** What both write, given the same beginnings; with a base that is run. */
  readonly samples?: Samples;
  /** The grades of the texts' verdicts; with a base. */
  readonly grades?: Grades;
}

/**
 * Scores a model, or what would be left of it without some layers, on texts and tasks, alone or against a base.
 * @throws UsageError `OPTION_INVALID`, `BASE_MISSING`; UsageError, SelectionError for layers that cannot be skipped;
 *   GgufError, ArchitectureError, CalibrationError, EvaluationError, RuntimeError, AbortedError
 * @example
 * ```ts
 * import { evaluate } from "lorp";
 *
 * const { texts } = await evaluate("model.gguf", { skipLayers: [8, 9], sequences: 4 });
 * for (const { name, verdict } of texts) console.log(name, verdict?.sentence);
 * ```
 */
export async function evaluate(path: string, options: EvaluateOptions = {}): Promise<Evaluation> {
  checkOptions(options, EVALUATE_OPTIONS);
  const { against, protocol = "windows" } = options;
  if (options.sequenceLength !== undefined) checkWindows(protocol, options.sequenceLength);
  refuseWithoutBase(options);
  const described = await describeModel(path, options);
  requirePredictions(described.architecture, "Scoring texts");
  const skippedLayers = options.skipLayers === undefined ? [] : skipped(described, options.skipLayers);
  const describedBase = against === undefined ? undefined : await describeModel(against, options);
  if (describedBase) requireSameVocabulary(described.file, describedBase.file);

  introduce(described, options);
  const opened: { close(): void }[] = [];
  const keep = <Closable extends { close(): void }>(closable: Closable): Closable => {
    opened.push(closable);
    return closable;
  };
  try {
    const model = keep(await openModel(described.file.paths[0]!, options));
    const sequenceLength =
      options.sequenceLength ?? Math.min(DEFAULT_SEQUENCE_LENGTH, model.info.trainedContextLength);
    const bos = bosOf(model, options);
    checkWindows(protocol, sequenceLength, bos);
    const texts = await openTexts(model, options, { protocol, sequenceLength, bos });
    const tasks: TokenizedTask[] = [];
    for (const file of options.task ?? []) tasks.push(await tokenizeTask(model, await loadTask(file)));
    const sequences = [...texts.flatMap(({ windows }) => windows.sequences), ...tasks.flatMap(sequencesOf)];
    const longest = Math.max(
      ...texts.map((text) => text.sequenceLength),
      ...tasks.map((task) => task.longest),
    );
    const openSide = ({ architecture: { states } }: DescribedModel, its: Model, skip: readonly number[]) => ({
      model: its,
      lanes: keep(its.openLanes({ sequenceLength: longest, states, scores: true })),
      states,
      skip,
    });
    const original = describedBase ?? described;
    const openBase = async () =>
      openSide(original, describedBase ? keep(await openModel(original.file.paths[0]!, options)) : model, []);
    const files = describedBase ? [described, describedBase] : [described];
    const resources = options.speed ? await measureResources(files, sequences[0]!, options) : [];
    const side = openSide(described, model, skippedLayers);
    const hasBase = describedBase !== undefined || skippedLayers.length > 0;
    const once = sum(sequences.map(({ length }) => length));
    await forecast(side, sequences[0]!, [["to score", hasBase ? 2 * once : once]], options);
    // With its logits on disk the base need not be in memory, unless for tasks.
    const cached = hasBase && options.baseCache !== undefined;
    let base = hasBase && !(cached && tasks.length === 0) ? await openBase() : undefined;
    const { vocabularySize } = model.info;
    const cache = cached
      ? await openBaseCache(
          options.baseCache!,
          { model: await original.fingerprint(), vocabularySize, texts },
          async ({ places }) => {
            base ??= await openBase();
            await recordTexts(base.lanes, texts, places, options);
            await checkUnchanged(original.file);
          },
        )
      : undefined;
    const sides = { side, base, cache };
    // What is wrong with a model's numbers is told by its scores, which come first.
    const evaluatedTexts = await evaluateTexts(sides, texts, options);
    const evaluatedTasks = await evaluateTasks(sides, tasks);
    const samples = base && options.samples !== false ? await continueBoth(side, base, bos) : undefined;
    for (const { file } of files) await checkUnchanged(file);
    return {
      lorpVersion: VERSION,
      model: path,
      base: hasBase ? (against ?? path) : null,
      skippedLayers,
      protocol,
      bos: bos >= 0,
      texts: evaluatedTexts,
      tasks: evaluatedTasks,
      resources,
      ...(samples && { samples }),
      ...(hasBase && { grades: GRADES }),
    };
  } finally {
    for (const closable of opened.reverse()) closable.close();
  }
}

/** What both sides write, given the same beginnings. */
async function continueBoth(side: AnsweringSide, base: AnsweringSide, bos: number) {
  const original = await continuePrompts(base.model, { states: base.states, bos });
  const pruned =
    original && (await continuePrompts(side.model, { states: side.states, bos, skip: side.skip }, original));
  return pruned && compareContinuations(original, pruned);
}

function refuseWithoutBase({ against, skipLayers, baseCache }: EvaluateOptions): void {
  if (baseCache === undefined || against !== undefined || skipLayers !== undefined) return;
  throw new UsageError(
    "BASE_MISSING",
    "`baseCache` keeps the logits of a base, and there is none: add `against` or `skipLayers`, or leave it out.",
  );
}

/** @throws UsageError, SelectionError as for layers to remove */
function skipped({ summary }: DescribedModel, layers: LayerList): readonly number[] {
  return explicitPlan(summary, parseLayers(layers)).removedLayers;
}

async function openTexts(
  model: Model,
  { text, task, sequences }: EvaluateOptions,
  settings: WindowSettings,
): Promise<WindowedText[]> {
  const paths = text?.length ? text : task?.length ? [] : [undefined];
  const texts: WindowedText[] = [];
  for (const path of paths) texts.push(await openText(model, path, { ...settings, sequences }));
  return texts;
}
