import { statesAfter } from "../../architecture/architecture.ts";
import type { StateTensors } from "../../architecture/types.ts";
import type { Plan } from "../../documents/plan.ts";
import type { Report } from "../../documents/report.ts";
import { accuracyOf, pair } from "../../evaluation/accuracy.ts";
import { answerChoices, type ChoiceAnswers } from "../../evaluation/choices.ts";
import { distanceOf } from "../../evaluation/divergence.ts";
import { embed, likenessOf } from "../../evaluation/embeddings.ts";
import { compareContinuations, continuePrompts } from "../../evaluation/samples.ts";
import { measureText, type TextMeasures, tokensOf } from "../../evaluation/text.ts";
import { type Distance, GRADES, verdictOf } from "../../evaluation/verdict.ts";
import type { Lanes } from "../../model/lanes.ts";
import { type Model, openModel } from "../../model/model.ts";
import type { DescribedModel } from "./describe.ts";
import { type OpenedModel, partOf, textOf } from "./open.ts";
import type { ModelRunOptions, SampleOptions } from "./options.ts";
import type { ChoiceTask } from "./task.ts";
import { timeInTurn } from "./time-in-turn.ts";

/** What a removal cost, as a Report holds it. */
export type Cost = Pick<
  Report,
  "perplexity" | "embeddings" | "divergence" | "speed" | "task" | "verdict" | "grades" | "samples"
>;

export interface CostOptions extends ModelRunOptions, SampleOptions {
  /** Also time both, on a CPU. */
  readonly speed?: boolean | undefined;
}

/**
 * Measures a written model and the original on the part of the text that is kept for the report. On a CPU, where
 * models are mapped files, both run side by side, so that their distributions can be compared; a GPU may not hold both, so
 * there they run one after the other, and `opened` is closed between. Both continue some prompts, to be compared.
 * @param path of the model that was written by the Plan
 * @throws RuntimeError, AbortedError
 */
export async function measureCost(
  path: string,
  described: DescribedModel,
  plan: Plan,
  opened: OpenedModel,
  options: CostOptions,
): Promise<Cost> {
  const measure = described.architecture.states.embeds ? measureLikeness : measurePredictions;
  return measure(path, described, plan, opened, options);
}

/** Runs the written model in contexts for the report's sequences. */
async function onWritten<Result>(
  path: string,
  states: StateTensors,
  sequenceLength: number,
  options: ModelRunOptions,
  work: (lanes: Lanes, written: Model) => Promise<Result>,
): Promise<Result> {
  const written = await openModel(path, options);
  try {
    const lanes = written.openLanes({ sequenceLength, states, scores: !states.embeds });
    try {
      return await work(lanes, written);
    } finally {
      lanes.close();
    }
  } finally {
    written.close();
  }
}

const measureLikeness: typeof measureCost = async (
  path,
  { architecture },
  { keptLayers },
  opened,
  options,
) => {
  const { sequenceLength, split } = opened;
  const sequences = split.report;
  const total = 2 * sequences.length * sequenceLength;
  const progress = (before: number) => (done: number) =>
    options.onProgress?.({ stage: "evaluate", done: before + done, total, unit: "tokens" });
  const originals = await embed(opened.lanes, sequences, { onProgress: progress(0) });
  // A GPU may not hold both.
  opened.close();
  const states = statesAfter(architecture.states, keptLayers);
  const embeddings = await onWritten(path, states, sequenceLength, options, (lanes) =>
    embed(lanes, sequences, { onProgress: progress(total / 2) }),
  );
  return likeness(opened, originals, embeddings);
};

/** What two models' embeddings of the report's sequences come to. */
export function likeness(
  { calibration, sequenceLength, split }: OpenedModel,
  originals: readonly Float64Array[],
  embeddings: readonly Float64Array[],
): Cost {
  return {
    perplexity: null,
    embeddings: {
      ...likenessOf(originals, embeddings),
      text: textOf(calibration, "report"),
      sequences: split.report.length,
      sequenceLength,
    },
  };
}

/** What two models' predictions of the report's sequences come to. */
export function difference(
  { calibration, sequenceLength, split }: OpenedModel,
  { original, pruned }: { readonly original: number; readonly pruned: number },
  distance?: Distance & { readonly standardError: number | null },
): Cost {
  return {
    perplexity: {
      original,
      pruned,
      ratio: pruned / original,
      text: textOf(calibration, "report"),
      sequences: split.report.length,
      sequenceLength,
    },
    ...(distance && { divergence: distance, verdict: verdictOf(distance), grades: GRADES }),
  };
}

const measurePredictions: typeof measureCost = async (
  path,
  { architecture },
  { keptLayers },
  opened,
  options,
) => {
  const { longest, model, bos, task } = opened;
  const text = await partOf(opened, "report");
  const total = tokensOf(text);
  const onProgress = (done: number) =>
    options.onProgress?.({ stage: "evaluate", done, total, unit: "tokens" });
  const measure = (lanes: Lanes, base?: Lanes): Promise<TextMeasures> => {
    onProgress(0);
    return measureText(lanes, text, { base, onProgress });
  };

  const together = model.runtime.device === "cpu";
  const originals =
    options.samples === false
      ? undefined
      : await continuePrompts(model, { states: architecture.states, bos });
  const answersOf = (lanes: Lanes) => task && answerChoices(lanes, { items: task.report });
  const answered = await answersOf(opened.lanes);
  const alone = together ? undefined : await measure(opened.lanes);
  if (!together) opened.close();
  const states = statesAfter(architecture.states, keptLayers);
  return onWritten(path, states, longest, options, async (lanes, written) => {
    const { perplexity: pruned, base } = await measure(lanes, together ? opened.lanes : undefined);
    const timed = options.speed && together;
    const answers = await answersOf(lanes);
    const continued = originals && (await continuePrompts(written, { states, bos }, originals));
    const distance = base && { ...distanceOf(base), standardError: base.klDivergence.standardError };
    const models = [
      { model, states: architecture.states },
      { model: written, states },
    ] as const;
    const speeds = timed && (await timeInTurn(opened, models, options));
    return {
      ...difference(opened, { original: (alone ?? base!).perplexity, pruned }, distance),
      ...(speeds && { speed: { original: speeds[0], pruned: speeds[1] } }),
      ...(task && answered && answers && { task: taskCost(task, answered, answers) }),
      ...(originals && continued && { samples: compareContinuations(originals, continued) }),
    };
  });
};

/** How both did on what is kept of a task for the report. */
export function taskCost(
  { name, sha256, report }: ChoiceTask,
  original: ChoiceAnswers,
  pruned: ChoiceAnswers,
): NonNullable<Cost["task"]> {
  return {
    name,
    sha256,
    items: report.length,
    original: accuracyOf(original.raw),
    pruned: accuracyOf(pruned.raw),
    paired: pair(pruned.raw, original.raw),
  };
}
