import { similarityOf } from "../analysis/similarity.ts";
import { candidates, impossible, ruleAgainst } from "./constraints.ts";
import type { Removal, Selection, SelectionInput, SimilarityMatrix } from "./types.ts";

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
  const isLegal = (run: Run) => ruleAgainstRun(run) === null;
  const runs = preference(budget);
  const preferred = runs[0]!;
  const rule = ruleAgainstRun(preferred);
  if (rule === null) return { removals: removalsOf(preferred, score, scoreName), passedOver: [] };

  const chosen = runs.find(isLegal);
  if (!chosen) {
    const lengths = candidates(count).map((_, index) => index + 1);
    const possible = lengths.filter((length) => preference(length).some(isLegal));
    throw impossible(rule, count, budget, possible, "layers in a row");
  }
  return {
    removals: removalsOf(chosen, score, scoreName),
    passedOver: preferred.layers
      .filter((layer) => !chosen.layers.includes(layer))
      .map((layer) => ({ layer, rule })),
  };
}

function removalsOf(run: Run, score: (similarity: number) => number, scoreName: string): Removal[] {
  const value = score(run.similarity);
  const text = `in the run of ${run.layers.length} whose input and output are most alike: ${scoreName} ${value.toFixed(4)}`;
  return run.layers.map((layer) => ({ layer, reason: "run", score: value, text }));
}
