import type { ModelSummary } from "../documents/model.ts";
import { runsOf } from "../runs.ts";

/** Numbers as people read them. */

/** Bytes, powers of 1000, three significant digits: `13.8 MB`. */
export function formatBytes(bytes: number): string {
  return formatScaled(bytes, ["B", "kB", "MB", "GB", "TB"]);
}

/** `20 layers`, of a model that runs them in loops `20 layers, run 2 times`. */
export function formatDepth({ blockCount, loops = 1 }: Pick<ModelSummary, "blockCount" | "loops">): string {
  return `${blockCount} layers${loops > 1 ? `, run in ${loops} loops` : ""}`;
}

/** A count: `12.9 M`. */
export function formatCount(count: number): string {
  return formatScaled(count, ["", "k", "M", "B", "T"]);
}

function formatScaled(value: number, units: readonly string[]): string {
  const power = units.findIndex((_, i) => value / 1000 ** i < 999.5);
  const unit = power < 0 ? units.length - 1 : power;
  const digits = unit === 0 ? String(Math.round(value)) : (value / 1000 ** unit).toPrecision(3);
  return `${digits} ${units[unit]}`.trimEnd();
}

/** `−20.1 %` with a true minus sign; `0.0 %` for none, `–` where there was nothing to change. */
export function formatChange(before: number, after: number): string {
  if (before === 0) return "–";
  const percent = ((after - before) / before) * 100;
  const digits = Math.abs(percent).toFixed(1);
  const sign = digits === "0.0" ? "" : percent < 0 ? "−" : "+";
  return `${sign}${digits} %`;
}

/** `4.31`, `152`: three significant digits, or all of a whole number. */
export function formatTokens(tokens: number): string {
  return tokens >= 100 ? Math.round(tokens).toLocaleString("en") : tokens.toPrecision(3);
}

/** `52.37`, `1,204`: four significant digits. */
export function formatPerplexity(perplexity: number): string {
  return perplexity >= 1000 ? Math.round(perplexity).toLocaleString("en") : perplexity.toPrecision(4);
}

/** `3`, `5–7` and `9` as `3, 5–7, 9`; ascending numbers in. */
export function formatLayers(layers: readonly number[]): string {
  return runsOf(layers)
    .map(({ first, end }) => (end === first + 1 ? `${first}` : `${first}–${end - 1}`))
    .join(", ");
}

/** Seconds: `42 s`, `3 min 05 s`, `1 h 02 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** A share as a percentage with one decimal: `12.3 %`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Rows of cells as aligned columns; the first column to the left, the others to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Columns of text, on a terminal or piped. */
export const TEXT_WIDTH = 80;

/**
 * Breaks a text between words so that no line is longer than `width`, unless a word is.
 * @param indent what every line but the first begins with
 */
export function wrapText(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  for (const word of text.split(/ (?!%)/)) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length === 0) lines.push(word);
    else if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return lines.join("\n");
}
