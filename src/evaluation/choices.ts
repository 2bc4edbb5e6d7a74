import { withBos } from "../calibration/sequences.ts";
import type { Lanes } from "../model/lanes.ts";
import type { Model } from "../model/model.ts";
import { wilsonInterval } from "../statistics.ts";
import { EvaluationError } from "./errors.ts";
import { requireNumbers } from "./scores.ts";
import type { Task } from "./tasks/load.ts";
import type { Choice } from "./tasks/task.ts";

/** A share of right answers. */
export interface Accuracy {
  readonly accuracy: number;
  /** 95 % confidence interval (Wilson). */
  readonly interval: readonly [low: number, high: number];
}

/** How a model did on a task. */
export interface TaskMeasures {
  readonly name: string;
  readonly items: number;
  /** The answer is the choice of the highest log-likelihood; of equals the first. */
  readonly raw: Accuracy;
  /** The answer is the choice of the highest log-likelihood per byte of the continuation (UTF-8). */
  readonly normalized: Accuracy;
}

/** A choice as tokens; those from `first` on are the continuation's. */
export interface TokenizedChoice {
  readonly tokens: Int32Array;
  readonly first: number;
  /** Bytes of the continuation. */
  readonly bytes: number;
}

/** A task as tokens. */
export interface TokenizedTask {
  readonly name: string;
  readonly items: readonly { readonly choices: readonly TokenizedChoice[]; readonly answer: number }[];
  /** Tokens of the longest choice. */
  readonly longest: number;
}

/**
 * Tokenises a task for a model. The context and the continuation are tokenised as one text, the model's BOS token
 * before it; the continuation begins where these tokens part from those of the context alone.
 * @throws EvaluationError `EVALUATION_TASK_TOO_LONG` for an item that does not fit the model's context
 */
export async function tokenizeTask(model: Model, task: Task): Promise<TokenizedTask> {
  const { trainedContextLength } = model.info;
  let longest = 0;
  const items: TokenizedTask["items"][number][] = [];
  for (const { line, choices, answer } of task.items) {
    const tokenized: TokenizedChoice[] = [];
    for (const choice of choices) tokenized.push(await tokenizeChoice(model, choice));
    items.push({ choices: tokenized, answer });
    longest = Math.max(longest, ...tokenized.map(({ tokens }) => tokens.length));
    if (longest > trainedContextLength) {
      throw new EvaluationError(
        "EVALUATION_TASK_TOO_LONG",
        `The item on line ${line} of the task ${task.path} takes ${longest} tokens, more than the model's context of ${trainedContextLength}; shorten or remove it.`,
      );
    }
  }
  return { name: task.name, items, longest };
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

/**
 * Answers every item of a task, several choices side by side.
 * @param lanes of contexts at least as long as the task's longest choice
 * @param skip blocks made the identity
 * @throws RuntimeError, AbortedError
 */
export async function answerTask(
  lanes: Lanes,
  { name, items }: TokenizedTask,
  skip: readonly number[] = [],
): Promise<TaskMeasures> {
  let raw = 0;
  let normalized = 0;
  const logLikelihood = async ({ tokens, first }: TokenizedChoice) => {
    const { logProb } = await lanes.run((session) => session.score(tokens, { first, skip }));
    const sum = logProb.reduce((total, value) => total + value, 0);
    requireNumbers([sum], skip);
    return sum;
  };
  const scored = await Promise.all(items.map(({ choices }) => Promise.all(choices.map(logLikelihood))));
  for (const [item, { choices, answer }] of items.entries()) {
    const likelihoods = scored[item]!;
    if (highest(likelihoods) === answer) raw++;
    if (highest(likelihoods.map((value, choice) => value / choices[choice]!.bytes)) === answer) normalized++;
  }
  const accuracy = (right: number): Accuracy => ({
    accuracy: right / items.length,
    interval: wilsonInterval(right, items.length),
  });
  return { name, items: items.length, raw: accuracy(raw), normalized: accuracy(normalized) };
}

function highest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
