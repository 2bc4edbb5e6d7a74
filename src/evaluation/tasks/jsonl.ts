import {
  joinedBySpace,
  type Malformed,
  type Prompt,
  readLines,
  type TaskItem,
  type TaskReader,
} from "./task.ts";

/** Tokens that are generated for a prompt that does not say how many. */
const USUAL_LENGTH = 128;

/** More is no answer, and memory is set aside for eight of them. */
const MOST_LENGTH = 4096;

/**
 * JSON lines, all of one kind: `{"context": "…", "choices": ["…", "…"], "answer": 0}` or
 * `{"prompt": "…", "stop": ["…"], "match": "…"}`.
 */
export const readJsonLines: TaskReader = (content) => {
  const items = readLines(content, readItem);
  if ("reason" in items) return items;
  const prompts = items.filter(isPrompt);
  const choices = items.filter((item): item is TaskItem => !isPrompt(item));
  if (prompts.length === 0) return { kind: "choices", items: choices };
  if (choices.length === 0) return { kind: "prompts", items: prompts };
  return { line: choices[0]!.line, reason: "it has choices where other lines have prompts" };
};

const isPrompt = (item: TaskItem | Prompt): item is Prompt => "prompt" in item;

function readItem(text: string, line: number): TaskItem | Prompt | Malformed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { line, reason: "it is not JSON" };
  }
  if (typeof value !== "object" || value === null) return { line, reason: "it is not a JSON object" };
  const fields = value as Record<string, unknown>;
  return "prompt" in fields ? readPrompt(fields, line) : readChoices(fields, line);
}

function readChoices(
  { context, choices, answer }: Record<string, unknown>,
  line: number,
): TaskItem | Malformed {
  const wrong = (reason: string): Malformed => ({ line, reason });
  if (!isText(context)) return wrong('its "context" is not a text');
  if (!Array.isArray(choices) || choices.length < 2 || !choices.every(isText)) {
    return wrong('its "choices" are not two or more texts');
  }
  if (!isIndex(answer, choices.length - 1)) {
    return wrong(`its "answer" is not a whole number from 0 to ${choices.length - 1}`);
  }
  return { line, choices: choices.map((choice) => joinedBySpace(context, choice)), answer };
}

function readPrompt(
  { prompt, stop = [], match, tokens = USUAL_LENGTH, chat = false }: Record<string, unknown>,
  line: number,
): Prompt | Malformed {
  const wrong = (reason: string): Malformed => ({ line, reason });
  if (!isText(prompt)) return wrong('its "prompt" is not a text');
  const stops: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  if (!stops.every((one): one is string => typeof one === "string" && one !== "")) {
    return wrong('its "stop" is neither a text nor a list of texts');
  }
  if (!isIndex(tokens, MOST_LENGTH) || tokens === 0) {
    return wrong(`its "tokens" is not a whole number from 1 to ${MOST_LENGTH}`);
  }
  if (typeof chat !== "boolean") return wrong('its "chat" is neither true nor false');
  if (!isText(match)) return wrong('its "match" is not a regular expression');
  try {
    return { line, prompt, stop: stops, match: new RegExp(match, "u"), length: tokens, chat };
  } catch (error) {
    return wrong(`its "match" is no regular expression: ${(error as Error).message}`);
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function isIndex(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}
