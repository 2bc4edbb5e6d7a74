/** A continuation to be weighed, and what comes before it. */
export interface Choice {
  readonly context: string;
  readonly continuation: string;
}

/** A prompt that the model continues: right if the pattern matches what it writes. */
export interface Prompt {
  /** Line of the file it stands on, from 1. */
  readonly line: number;
  readonly prompt: string;
  /** Whether the prompt is a question, to be put in the model's chat format. */
  readonly chat: boolean;
  /** The continuation ends before the first of these. */
  readonly stop: readonly string[];
  readonly match: RegExp;
  /** Tokens generated at most. */
  readonly length: number;
}

/** One question: the model answers with the choice whose continuation it finds likeliest. */
export interface TaskItem {
  /** Line of the file it begins on, from 1. */
  readonly line: number;
  readonly choices: readonly Choice[];
  /** Index of the right choice. */
  readonly answer: number;
}

/** Why a line cannot be read; the reader of the file says which. */
export type Malformed = { readonly line: number; readonly reason: string };

/** The items of a task, all of one kind. */
export type TaskItems =
  | { readonly kind: "choices"; readonly items: readonly TaskItem[] }
  | { readonly kind: "prompts"; readonly items: readonly Prompt[] };

/** Reads one format. @returns the items, or the first line that is wrong */
export type TaskReader = (content: string) => TaskItems | Malformed;

/** Puts a space between a context and what follows, unless one of them has white space there. */
export function joinedBySpace(context: string, continuation: string): Choice {
  const apart = /\s$/.test(context) || /^\s/.test(continuation);
  return { context, continuation: apart ? continuation : ` ${continuation}` };
}

/** The lines of a file without their ends; an end of the last line begins no further one. */
export function linesOf(content: string): string[] {
  const lines = content.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Reads a format with one item a line; blank lines are passed over. @returns the items, or the first line that is wrong */
export function readLines<Item extends object>(
  content: string,
  readItem: (text: string, line: number) => Item | Malformed,
): Item[] | Malformed {
  const items: Item[] = [];
  for (const [index, text] of linesOf(content).entries()) {
    if (text.trim() === "") continue;
    const item = readItem(text, index + 1);
    if ("reason" in item) return item;
    items.push(item);
  }
  return items;
}

/** Items, or what is wrong, as items of multiple choice. */
export function asChoices(items: readonly TaskItem[] | Malformed): TaskItems | Malformed {
  return "reason" in items ? items : { kind: "choices", items };
}
