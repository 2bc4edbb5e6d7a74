import { expect, test } from "vitest";
import { estimate, mcNemar, quantile, wilsonInterval } from "../src/statistics.ts";

test("mean and standard error by hand", () => {
  // Variance of 2, 4, 4, 6 over n − 1: 8/3.
  expect(estimate([2, 4, 4, 6])).toEqual({ mean: 4, standardError: Math.sqrt(8 / 3 / 4) });
  expect(estimate([7])).toEqual({ mean: 7, standardError: null });
});

test("quantiles lie between neighbours in proportion", () => {
  const ascending = [0, 10, 20, 40];
  expect([0, 0.5, 0.9, 1].map((q) => quantile(ascending, q))).toEqual([0, 15, expect.closeTo(34), 40]);
  expect(quantile([3], 0.99)).toBe(3);
});

test("Wilson's interval solves the equation that defines it", () => {
  // Its ends are the shares p at which |share − p| is 1.96 standard deviations √(p(1 − p)/n).
  for (const [right, n] of [
    [1, 10],
    [5, 10],
    [740, 1000],
  ] as const) {
    for (const p of wilsonInterval(right, n)) {
      expect(Math.abs(right / n - p) / Math.sqrt((p * (1 - p)) / n)).toBeCloseTo(1.959964, 5);
    }
  }
  expect(wilsonInterval(0, 20)[0]).toBe(0);
  expect(wilsonInterval(20, 20)[1]).toBe(1);
});

test("McNemar's exact test is twice the binomial's tail", () => {
  // Sums of whole binomial coefficients, by Python's math.comb.
  expect(mcNemar(3, 8)).toBeCloseTo(0.2265625, 12);
  expect(mcNemar(8, 3)).toBeCloseTo(0.2265625, 12);
  expect(mcNemar(0, 5)).toBeCloseTo(0.0625, 12);
  expect(mcNemar(0, 0)).toBe(1);
  expect(mcNemar(4, 4)).toBe(1);
  expect(mcNemar(1000, 1200)).toBeCloseTo(2.1817026407914712e-5, 9);
});
