/** A continuation to be weighed, and what comes before it. */
export interface Choice {
  readonly context: string;
  readonly continuation: string;
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

/** Reads one format. @returns the items, or the first line that is wrong */
export type TaskReader = (content: string) => readonly TaskItem[] | Malformed;

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

/** A reader of a format with one item a line; blank lines are passed over. */
export function readLines(readItem: (text: string, line: number) => TaskItem | Malformed): TaskReader {
  return (content) => {
    const items: TaskItem[] = [];
    for (const [index, text] of linesOf(content).entries()) {
      if (text.trim() === "") continue;
      const item = readItem(text, index + 1);
      if ("reason" in item) return item;
      items.push(item);
    }
    return items;
  };
}
