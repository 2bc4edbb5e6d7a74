import { joinedBySpace, type Malformed, readLines, type TaskItem } from "./task.ts";

/** JSON lines: `{"context": "…", "choices": ["…", "…"], "answer": 0}`. */
export const readJsonLines = readLines(readItem);

function readItem(text: string, line: number): TaskItem | Malformed {
  const wrong = (reason: string): Malformed => ({ line, reason });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return wrong("it is not JSON");
  }
  if (typeof value !== "object" || value === null) return wrong("it is not a JSON object");
  const { context, choices, answer } = value as Record<string, unknown>;
  if (typeof context !== "string" || context.trim() === "") return wrong('its "context" is not a text');
  if (!Array.isArray(choices) || choices.length < 2 || !choices.every(isText)) {
    return wrong('its "choices" are not two or more texts');
  }
  if (typeof answer !== "number" || !Number.isInteger(answer) || answer < 0 || answer >= choices.length) {
    return wrong(`its "answer" is not a whole number from 0 to ${choices.length - 1}`);
  }
  return { line, choices: choices.map((choice) => joinedBySpace(context, choice)), answer };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}
