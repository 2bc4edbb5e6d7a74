import { formatTable } from "../format.ts";
import { changes, type Showable, viewOf } from "../view.ts";
import type { TerminalStyle } from "./colour.ts";

/** A document's result: a sentence or two, and what it changed as one aligned table. */
export function renderSummary(document: Showable, { width }: TerminalStyle): string {
  const view = viewOf(document);
  const sentences = wrap(view.summary, width);
  const changed = changes(view).map(({ label, before, after, change }) => [label, before, after, change]);
  if (changed.length === 0) return sentences;
  return `${sentences}\n\n${formatTable([["", "original", "pruned", "change"], ...changed])}`;
}

/** Breaks a text between words so that no line is longer than `width`, unless a word is. */
function wrap(text: string, width: number): string {
  const lines: string[] = [];
  for (const word of text.split(/ (?!%)/)) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("\n");
}
