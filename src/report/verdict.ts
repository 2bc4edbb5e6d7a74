import { OWN_TEXT } from "../calibration/load.ts";
import type { Comparison } from "../documents/comparison.ts";
import type { Verdict } from "../documents/verdict.ts";
import { GRADES } from "../evaluation/verdict.ts";
import { formatLayers } from "./format.ts";

/** Whether it has to be the first thing said. */
export const isRuined = (verdict: Verdict | undefined): boolean => verdict?.grade === "ruined";

/** How a text is called: the package's own has no name that a reader would know. */
export function describeText(name: string): string {
  return name === OWN_TEXT ? "lorp's own mixed text" : `"${name}"`;
}

/**
 * How many layers can go for each grade, as far as a Comparison measured it on its first text; undefined without
 * verdicts.
 */
export function describeReach({ candidates }: Comparison): string | undefined {
  const judged = candidates.flatMap(({ measures, ...candidate }) => {
    const grade = GRADES.findIndex((row) => row.grade === measures[0]?.verdict?.grade);
    return grade < 0 ? [] : [{ ...candidate, grade, klDivergence: measures[0]?.klDivergence ?? 0 }];
  });
  if (judged.length === 0) return undefined;
  let reached = 0;
  const reaches = GRADES.slice(0, -1).flatMap(({ grade }, index) => {
    const [furthest] = judged
      .filter((candidate) => candidate.grade <= index && candidate.budget > reached)
      .sort((a, b) => b.budget - a.budget || a.klDivergence - b.klDivergence);
    if (!furthest) return [];
    const { budget, method, removedLayers } = furthest;
    reached = budget;
    return [`${grade} without ${budget} (${method}: ${formatLayers(removedLayers)})`];
  });
  const ruined = judged.some(({ budget }) => budget > reached);
  if (reaches.length === 0) return "Ruined in every case that was measured: remove fewer layers.";
  return `As far as measured: ${reaches.join("; ")}${ruined ? `; ruined without more than ${reached}` : ""}.`;
}
