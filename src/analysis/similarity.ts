import type { SimilarityMatrix } from "../documents/analysis.ts";
import { AnalysisError } from "./errors.ts";

/** Cosines of float vectors, or of decimals rounded by hand, agree within this. */
const TOLERANCE = 1e-4;

/** S[i][j]. @throws RangeError outside of the matrix */
export function similarityOf(similarity: SimilarityMatrix, i: number, j: number): number {
  const value = similarity[i]?.[j];
  if (value === undefined) throw new RangeError(`no similarity of layers ${i} and ${j}`);
  return value;
}

/** Every pair i < j of the layers given. */
export function pairs(layers: readonly number[]): [number, number][] {
  return layers.flatMap((i, index) => layers.slice(index + 1).map((j): [number, number] => [i, j]));
}

/** Mean similarity of every pair of the layers given; NaN of fewer than two. */
export function meanAmong(similarity: SimilarityMatrix, layers: readonly number[]): number {
  let sum = 0;
  for (const [index, i] of layers.entries()) {
    for (let other = index + 1; other < layers.length; other++)
      sum += similarityOf(similarity, i, layers[other]!);
  }
  return sum / ((layers.length * (layers.length - 1)) / 2);
}

/**
 * Checks that `similarity` is an N×N matrix of cosines: square, finite, within [-1, 1], symmetric, 1 on the diagonal.
 * @throws AnalysisError naming the first bad entry
 */
export function checkSimilarity(similarity: SimilarityMatrix): void {
  const n = similarity.length;
  if (n < 2) throw new AnalysisError(`similarity has ${n} rows, but an analysis needs at least 2 layers.`);
  similarity.forEach((row, i) => {
    if (row.length !== n) {
      throw new AnalysisError(`similarity[${i}] has ${row.length} entries, but the matrix has ${n} rows.`);
    }
  });
  similarity.forEach((row, i) => {
    row.forEach((value, j) => {
      const mirrored = similarityOf(similarity, j, i);
      if (!(Math.abs(value) <= 1 + TOLERANCE)) {
        throw new AnalysisError(`similarity[${i}][${j}] is ${value}, but a cosine lies between -1 and 1.`);
      }
      if (i === j && Math.abs(value - 1) > TOLERANCE) {
        throw new AnalysisError(
          `similarity[${i}][${i}] is ${value}, but a layer's similarity to itself is 1.`,
        );
      }
      if (Math.abs(value - mirrored) > TOLERANCE) {
        throw new AnalysisError(
          `similarity[${i}][${j}] is ${value}, but similarity[${j}][${i}] is ${mirrored}: the matrix must be symmetric.`,
        );
      }
    });
  });
}
