import { expect, test } from "vitest";
import { magnitudeFactors } from "../../src/compensation/magnitude.ts";

/** Norms of 5 block inputs over 3 tokens; the first token is an outlier everywhere. */
const NORMS = Float32Array.from([
  ...[900, 1, 2],
  ...[900, 2, 2],
  ...[900, 4, 8],
  ...[9, 8, 16],
  ...[9, 16, 16],
]);

test("a block's outputs are divided by the lengthening of every run before it", () => {
  // Run 1: tokens 4/2 and 8/2, mean 3. Run 3: 16/8 and 16/16, mean 1.5.
  const factors = magnitudeFactors([1, 3], 5, [NORMS]);
  expect(factors.map(({ layer }) => layer)).toEqual([2, 4]);
  expect(factors.map(({ attention }) => attention)).toEqual([1 / 3, 1 / 4.5]);
  expect(factors.every(({ attention, feedForward }) => attention === feedForward)).toBe(true);
});

test("neighbours are one run, measured from its input to its output", () => {
  // 8/2 and 16/2, mean 6.
  expect(magnitudeFactors([1, 2], 5, [NORMS])).toEqual([
    { layer: 3, attention: 1 / 6, feedForward: 1 / 6 },
    { layer: 4, attention: 1 / 6, feedForward: 1 / 6 },
  ]);
});

test("after a run at the end nothing is left to scale", () => {
  expect(magnitudeFactors([3, 4], 5, [NORMS])).toEqual([]);
});

test("tokens of all sequences count alike", () => {
  const other = Float32Array.from([900, 1, 900, 1, 900, 7, 900, 1, 900, 1]);
  expect(magnitudeFactors([1], 5, [NORMS, other])[0]?.attention).toBeCloseTo(1 / ((2 + 4 + 7) / 3), 12);
});
