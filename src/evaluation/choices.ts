import { withBos } from "../calibration/sequences.ts";
import type { Lanes } from "../model/lanes.ts";
import type { Model } from "../model/model.ts";
import type { Rule } from "./accuracy.ts";
import { EvaluationError } from "./errors.ts";
import { requireNumbers } from "./scores.ts";
import type { Task } from "./tasks/load.ts";
import type { Choice } from "./tasks/task.ts";

/** A choice as tokens; those from `first` on are the continuation's. */
export interface TokenizedChoice {
  readonly tokens: Int32Array;
  readonly first: number;
  /** Bytes of the continuation. */
  readonly bytes: number;
}

/** A question as tokens. */
export interface TokenizedItem {
  readonly choices: readonly TokenizedChoice[];
  /** Index of the right choice. */
  readonly answer: number;
}

/** A multiple-choice task as tokens. */
export interface TokenizedChoices {
  readonly kind: "choices";
  readonly name: string;
  readonly items: readonly TokenizedItem[];
  /** Tokens of the longest choice. */
  readonly longest: number;
}

/**
 * Tokenises a multiple-choice task for a model. The context and the continuation are tokenised as one text, the model's BOS token
 * before it; the continuation begins where these tokens part from those of the context alone.
 * @throws EvaluationError `EVALUATION_TASK_TOO_LONG` for an item that does not fit the model's context
 */
export async function tokenizeChoices(
  model: Model,
  task: Extract<Task, { kind: "choices" }>,
): Promise<TokenizedChoices> {
  const { trainedContextLength } = model.info;
  let longest = 0;
  const items: TokenizedChoices["items"][number][] = [];
  for (const { line, choices, answer } of task.items) {
    const tokenized: TokenizedChoice[] = [];
    for (const choice of choices) tokenized.push(await tokenizeChoice(model, choice));
    items.push({ choices: tokenized, answer });
    longest = Math.max(longest, ...tokenized.map(({ tokens }) => tokens.length));
    requireContext(longest, trainedContextLength, task.path, line);
  }
  return { kind: "choices", name: task.name, items, longest };
}

/** @throws EvaluationError `EVALUATION_TASK_TOO_LONG` */
export function requireContext(tokens: number, context: number, path: string, line: number): void {
  if (tokens <= context) return;
  throw new EvaluationError(
    "EVALUATION_TASK_TOO_LONG",
    `The item on line ${line} of the task ${path} takes ${tokens} tokens, more than the model's context of ${context}; shorten or remove it.`,
  );
}

async function tokenizeChoice(model: Model, { context, continuation }: Choice): Promise<TokenizedChoice> {
  const { bos } = model.info;
  const alone = withBos(await model.tokenize(context), bos);
  const tokens = withBos(await model.tokenize(context + continuation), bos);
  const parting = alone.findIndex((token, index) => token !== tokens[index]);
  // The first token of a sequence has no distribution to be scored by; one token at least is scored.
  const first = Math.min(Math.max(1, parting < 0 ? alone.length : parting), tokens.length - 1);
  return { tokens, first, bytes: Buffer.byteLength(continuation) };
}

/** The answers to items of multiple choice, by the rules that those have. */
export type ChoiceAnswers = { readonly [By in Exclude<Rule, "matched">]: readonly boolean[] };

/**
 * Answers every item of a multiple-choice task, several choices side by side.
 * @param lanes of contexts at least as long as the task's longest choice
 * @param skip layers made the identity
 * @throws RuntimeError, AbortedError
 */
export async function answerChoices(
  lanes: Lanes,
  { items }: Pick<TokenizedChoices, "items">,
  skip: readonly number[] = [],
): Promise<ChoiceAnswers> {
  const likelihoods = await Promise.all(items.map((item) => logLikelihoods(lanes, item, skip)));
  const isRight = (values: readonly number[], item: number) => highest(values) === items[item]!.answer;
  return {
    raw: likelihoods.map(isRight),
    normalized: likelihoods.map((values, item) =>
      isRight(
        values.map((value, choice) => value / items[item]!.choices[choice]!.bytes),
        item,
      ),
    ),
  };
}

/** Summed log-likelihoods of an item's choices, nats. @throws RuntimeError, AbortedError, EvaluationError */
export function logLikelihoods(
  lanes: Lanes,
  { choices }: TokenizedItem,
  skip: readonly number[],
): Promise<number[]> {
  return Promise.all(
    choices.map(async ({ tokens, first }) => {
      const { logProb } = await lanes.run((session) => session.score(tokens, { first, skip }));
      const sum = logProb.reduce((total, value) => total + value, 0);
      requireNumbers([sum], skip);
      return sum;
    }),
  );
}

function highest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
