import { similarityOf } from "../analysis/similarity.ts";
import { impossible, ruleAgainst } from "./constraints.ts";
import type { Selection, SelectionInput, SimilarityMatrix } from "./types.ts";

/** Consecutive layers, and how alike the input of the first and the output of the last are. */
export interface Run {
  readonly layers: readonly number[];
  readonly similarity: number;
}

/** The run of `length` layers from `start` on: S[start][start + length]. */
export function runFrom(similarity: SimilarityMatrix, start: number, length: number): Run {
  return {
    layers: Array.from({ length }, (_, index) => start + index),
    similarity: similarityOf(similarity, start, start + length),
  };
}

/** Every run of that length without the first and the last layer, the most alike first; of equals the first. */
export function runsByAlikeness(similarity: SimilarityMatrix, length: number): Run[] {
  return Array.from({ length: similarity.length - 1 - length }, (_, index) =>
    runFrom(similarity, index + 1, length),
  ).sort((a, b) => b.similarity - a.similarity);
}

/**
 * Removes the first run of a method's order of preference that the rules allow.
 *
 * @param preference the runs of a length, best first
 * @param score the number to report for a run of that similarity
 * @param scoreName what it is, for people
 * @throws SelectionError if the rules allow none
 */
export function takeRun(
  input: SelectionInput,
  budget: number,
  preference: (length: number) => readonly Run[],
  score: (similarity: number) => number,
  scoreName: string,
): Selection {
  const { constraints } = input;
  const count = input.similarity.length;
  const ruleAgainstRun = ({ layers }: Run) => ruleAgainst(constraints, count, new Set(layers), layers.length);
  const runs = preference(budget);
  const chosen = runs.find((run) => ruleAgainstRun(run) === null);
  if (!chosen) {
    const lengths = Array.from({ length: count - 2 }, (_, index) => index + 1);
    const possible = lengths.filter((length) =>
      preference(length).some((run) => ruleAgainstRun(run) === null),
    );
    throw impossible(constraints, count, budget, possible, "layers in a row");
  }
  const value = score(chosen.similarity);
  const text = `in the run of ${budget} whose input and output are most alike: ${scoreName} ${value.toFixed(4)}`;
  const missed = (runs[0]?.layers ?? []).filter((layer) => !chosen.layers.includes(layer));
  const rule = runs[0] ? ruleAgainstRun(runs[0]) : null;
  return {
    removals: chosen.layers.map((layer) => ({ layer, reason: "run", score: value, text })),
    passedOver: rule === null ? [] : missed.map((layer) => ({ layer, rule })),
  };
}
