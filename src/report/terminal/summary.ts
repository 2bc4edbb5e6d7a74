import type { Comparison } from "../../documents/comparison.ts";
import { formatPerplexity, formatTable } from "../format.ts";
import { changes, type Showable, viewOf } from "../view.ts";
import type { TerminalStyle } from "./colour.ts";

/** A document's result: a sentence or two, and one aligned table where something was measured. */
export function renderSummary(document: Showable, { width }: TerminalStyle): string {
  const view = viewOf(document);
  const changed = changes(view).map(({ label, before, after, change }) => [label, before, after, change]);
  const tables = [
    ...(changed.length > 0 ? [formatTable([["", "original", "pruned", "change"], ...changed])] : []),
    ...(view.comparison ? comparisonTables(view.comparison) : []),
  ];
  return [wrap(view.summary, width), ...tables].join("\n\n");
}

/** Perplexities, one table a text: a row for each budget, a column for each method. */
function comparisonTables({ candidates, texts }: Comparison): string[] {
  const methods = [...new Set(candidates.map(({ method }) => method))];
  const budgets = [...new Set(candidates.map(({ budget }) => budget))].toSorted((a, b) => a - b);
  return texts.map(({ name, original }, text) => {
    const row = (budget: number) =>
      methods.map((method) => {
        const found = candidates.find(
          (candidate) => candidate.budget === budget && candidate.method === method,
        );
        return found ? formatPerplexity(found.measures[text]!.perplexity) : "–";
      });
    const rows = budgets.map((budget) => [`${budget} removed`, ...row(budget)]);
    const table = formatTable([["", ...methods], ...rows]);
    return `Perplexity on ${name} (original ${formatPerplexity(original.perplexity)})\n${table}`;
  });
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
