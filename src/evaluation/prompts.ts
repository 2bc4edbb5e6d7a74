import { runInNewContext } from "node:vm";
import type { StateTensors } from "../architecture/types.ts";
import { beginWithBos } from "../calibration/sequences.ts";
import type { Model } from "../model/model.ts";
import type { Answers } from "./accuracy.ts";
import { requireContext } from "./choices.ts";
import { EvaluationError } from "./errors.ts";
import type { Task } from "./tasks/load.ts";
import type { Prompt } from "./tasks/task.ts";

/** A task of prompts as tokens. */
export interface TokenizedPrompts {
  readonly kind: "prompts";
  readonly name: string;
  readonly path: string;
  readonly items: readonly (Prompt & { readonly tokens: Int32Array })[];
  /** Tokens of the longest prompt and what is generated after it. */
  readonly longest: number;
}

/** Prompts that are continued side by side. */
const AT_A_TIME = 8;

/** How long a pattern may look for a match, milliseconds: one that backtracks without end is told by its line. */
const PATIENCE = 1000;

/**
 * Tokenises prompts: after the model's BOS token, or as a question in its chat format where the item asks for that.
 * @throws EvaluationError `EVALUATION_TASK_TOO_LONG`; `EVALUATION_TASK_LINE` where the model has no chat format
 */
export async function tokenizePrompts(
  model: Model,
  { name, path, items }: Extract<Task, { kind: "prompts" }>,
): Promise<TokenizedPrompts> {
  const { bos, trainedContextLength } = model.info;
  const tokenized: TokenizedPrompts["items"][number][] = [];
  for (const item of items) {
    const asked = item.chat ? await model.chatPrompt(item.prompt) : await model.tokenize(item.prompt);
    if (!asked) {
      throw new EvaluationError(
        "EVALUATION_TASK_LINE",
        `Line ${item.line} of the task ${path} asks for a chat, but the model has no chat format that llama.cpp knows; leave "chat" out.`,
      );
    }
    const tokens = beginWithBos(asked, bos);
    requireContext(tokens.length + item.length, trainedContextLength, path, item.line);
    tokenized.push({ ...item, tokens });
  }
  const longest = Math.max(...tokenized.map(({ tokens, length }) => tokens.length + length));
  return { kind: "prompts", name, path, items: tokenized, longest };
}

export interface AnswerPromptsOptions {
  readonly states: StateTensors;
  /** Layers made the identity. */
  readonly skip?: readonly number[] | undefined;
}

/**
 * Lets a model continue every prompt greedily, up to the first of its stops, and looks for the pattern in that.
 * @throws EvaluationError `EVALUATION_TASK_LINE` for a pattern that takes too long; RuntimeError, AbortedError
 */
export async function answerPrompts(
  model: Model,
  { items, longest, path }: TokenizedPrompts,
  { states, skip }: AnswerPromptsOptions,
): Promise<Answers> {
  const session = model.openSession({ sequenceLength: longest, sequences: AT_A_TIME, states });
  try {
    const matched: boolean[] = [];
    for (let from = 0; from < items.length; from += AT_A_TIME) {
      const some = items.slice(from, from + AT_A_TIME);
      const length = Math.max(...some.map((item) => item.length));
      const generated = await session.generate(
        some.map(({ tokens }) => tokens),
        length,
        { skip },
      );
      for (const [index, item] of some.entries()) {
        const text = await model.text(generated[index]!.subarray(0, item.length));
        matched.push(matches(item, upToStop(text, item.stop), path));
      }
    }
    return { matched };
  } finally {
    session.close();
  }
}

/** What comes before the first of the stops. */
export function upToStop(text: string, stops: readonly string[]): string {
  const places = stops.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
  return text.slice(0, Math.min(text.length, ...places));
}

/** A task may come from anywhere, and a pattern can be made to backtrack for years. */
export function matches(
  { match, line }: Pick<Prompt, "match" | "line">,
  text: string,
  path: string,
): boolean {
  try {
    return runInNewContext("match.test(text)", { match, text }, { timeout: PATIENCE }) as boolean;
  } catch (cause) {
    throw new EvaluationError(
      "EVALUATION_TASK_LINE",
      `The pattern on line ${line} of the task ${path} takes longer than a second on what was generated; simplify it.`,
      { cause },
    );
  }
}
