import type { Verdict } from "../../documents/verdict.ts";
import {
  type Accuracy,
  accuracyOf,
  byRule,
  type Paired,
  pair,
  type Rule,
} from "../../evaluation/accuracy.ts";
import { type AnsweringSide, answerTask, type TokenizedTask } from "../../evaluation/answer.ts";
import type { BaseCache } from "../../evaluation/base-cache.ts";
import { distanceOf } from "../../evaluation/divergence.ts";
import { scoreWindows } from "../../evaluation/scores.ts";
import { measureText, type TextMeasures, tokensOf, type WindowedText } from "../../evaluation/text.ts";
import { verdictOf } from "../../evaluation/verdict.ts";
import type { Lanes } from "../../model/lanes.ts";
import { sum } from "../../statistics.ts";
import type { ModelRunOptions } from "./options.ts";

export interface EvaluatedText extends TextMeasures {
  /** With a base. */
  readonly verdict?: Verdict;
  readonly name: string;
  readonly sha256: string;
  readonly sequences: number;
  readonly sequenceLength: number;
}

/** How a model did on a task, by each rule that the task's kind has. */
export type TaskMeasures = { readonly name: string; readonly items: number } & {
  readonly [By in Rule]?: Accuracy;
};

export type EvaluatedTask = TaskMeasures & {
  readonly base?: TaskMeasures;
  /** The items on which the two differ, with a base. */
  readonly paired?: { readonly [By in Rule]?: Paired };
};

/** What is scored side by side. */
export interface Sides {
  readonly side: AnsweringSide;
  readonly base: AnsweringSide | undefined;
  /** The base's logits on the texts, in place of running it. */
  readonly cache: BaseCache | undefined;
}

/** Scores every text on both sides. */
export async function evaluateTexts(
  { side: { lanes, skip }, base, cache }: Sides,
  texts: readonly WindowedText[],
  options: ModelRunOptions,
): Promise<EvaluatedText[]> {
  const report = progressOver(texts, options);
  const evaluated: EvaluatedText[] = [];
  for (const [index, text] of texts.entries()) {
    const measures = await measureText(lanes, text, {
      skip,
      ...(cache ? { logits: cache.places[index] } : { base: base?.lanes }),
      onProgress: report(index),
    });
    const { name, sha256, sequenceLength, windows } = text;
    evaluated.push({
      name,
      sha256,
      sequences: windows.sequences.length,
      sequenceLength,
      ...measures,
      ...(measures.base && { verdict: verdictOf(distanceOf(measures.base)) }),
    });
  }
  return evaluated;
}

/** Writes the logits of every scored token to the texts' places. */
export async function recordTexts(
  base: Lanes,
  texts: readonly WindowedText[],
  places: BaseCache["places"],
  options: ModelRunOptions,
): Promise<void> {
  const report = progressOver(texts, options);
  for (const [index, { windows }] of texts.entries()) {
    await scoreWindows(base, windows, { logits: places[index], onProgress: report(index) });
  }
}

/** Reports the tokens done of one text as tokens done of all. */
function progressOver(
  texts: readonly WindowedText[],
  { onProgress }: ModelRunOptions,
): (index: number) => (done: number) => void {
  const lengths = texts.map(tokensOf);
  const total = sum(lengths);
  return (index) => (done) =>
    onProgress?.({
      stage: "evaluate",
      done: sum(lengths.slice(0, index)) + done,
      total,
      unit: "tokens",
    });
}

/** Lets both sides answer every task. */
export async function evaluateTasks(
  { side, base }: Sides,
  tasks: readonly TokenizedTask[],
): Promise<EvaluatedTask[]> {
  const evaluated: EvaluatedTask[] = [];
  for (const task of tasks) {
    const { name } = task;
    const answers = await answerTask(side, task);
    const baseAnswers = base && (await answerTask(base, task));
    const measures = { name, items: task.items.length, ...byRule(answers, accuracyOf) };
    evaluated.push(
      baseAnswers
        ? {
            ...measures,
            base: { name, items: task.items.length, ...byRule(baseAnswers, accuracyOf) },
            paired: byRule(answers, (right, rule) => pair(right, baseAnswers[rule]!)),
          }
        : measures,
    );
  }
  return evaluated;
}
