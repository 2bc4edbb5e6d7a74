import type { StateTensors } from "../architecture/types.ts";
import type { Lanes } from "../model/lanes.ts";
import type { Model } from "../model/model.ts";
import type { Answers } from "./accuracy.ts";
import { answerChoices, type TokenizedChoices, tokenizeChoices } from "./choices.ts";
import { answerPrompts, type TokenizedPrompts, tokenizePrompts } from "./prompts.ts";
import type { Task } from "./tasks/load.ts";

/** A task of either kind as tokens. */
export type TokenizedTask = TokenizedChoices | TokenizedPrompts;

/** A model that answers tasks. */
export interface AnsweringSide {
  readonly model: Model;
  /** Of contexts at least as long as the tasks' longest item. */
  readonly lanes: Lanes;
  readonly states: StateTensors;
  /** Layers made the identity. */
  readonly skip: readonly number[];
}

/** @throws EvaluationError for an item that does not suit the model */
export function tokenizeTask(model: Model, task: Task): Promise<TokenizedTask> {
  return task.kind === "choices" ? tokenizeChoices(model, task) : tokenizePrompts(model, task);
}

/** Answers every item of a task. @throws EvaluationError, RuntimeError, AbortedError */
export function answerTask(
  { model, lanes, states, skip }: AnsweringSide,
  task: TokenizedTask,
): Promise<Answers> {
  return task.kind === "choices"
    ? answerChoices(lanes, task, skip)
    : answerPrompts(model, task, { states, skip });
}

/** The token sequences that a task runs a model on. */
export function sequencesOf(task: TokenizedTask): Int32Array[] {
  return task.kind === "choices"
    ? task.items.flatMap(({ choices }) => choices.map(({ tokens }) => tokens))
    : task.items.map(({ tokens }) => tokens);
}
