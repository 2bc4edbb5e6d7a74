import type { Samples } from "../../documents/samples.ts";
import { TEXT_WIDTH, wrapText } from "../format.ts";
import { describeSamples } from "../samples.ts";

const GAP = "  ";
const COLUMN = (TEXT_WIDTH - GAP.length) / 2;

/** What the samples come to, and some of them side by side. */
export function renderSamples(samples: Samples): string {
  const pairs = samples.examples.flatMap(({ prompt, original, pruned }) => [
    "",
    wrapText(`> ${oneLine(prompt)}`, TEXT_WIDTH, "  "),
    ...sideBySide(["original", ...columnOf(original)], ["pruned", ...columnOf(pruned)]),
  ]);
  return [wrapText(describeSamples(samples), TEXT_WIDTH), ...pairs].join("\n");
}

function columnOf(text: string): string[] {
  return wrapText(oneLine(text), COLUMN)
    .split("\n")
    .flatMap((line) => line.match(new RegExp(`.{1,${COLUMN}}`, "gu")) ?? []);
}

/** White space and what else a terminal would not print as it is become spaces. */
const oneLine = (text: string) => text.replaceAll(/[\s\p{C}]+/gu, " ").trim();

function sideBySide(left: readonly string[], right: readonly string[]): string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) =>
    `${(left[row] ?? "").padEnd(COLUMN)}${GAP}${right[row] ?? ""}`.trimEnd(),
  );
}
