import { describe, expect, test } from "vitest";
import { type AssessmentOptions, assess, isCheckpoint } from "../../src/analysis/adaptive.ts";
import { type SequenceSums, weightedSimilarity } from "../../src/analysis/capture.ts";
import { rls } from "../../src/analysis/locality.ts";
import { randomNumbers } from "../support/gguf.ts";

const TOKENS = 10;

/** A model of three layers whose entries 0-1, 0-2, 1-2 are these cosines. */
function sequence(...cosines: [number, number, number]): SequenceSums {
  const sums = new Float64Array(9);
  for (const [index, entry] of [1, 2, 5].entries()) sums[entry] = TOKENS * cosines[index]!;
  return { sums, tokens: TOKENS };
}

/** Removes 1 if layer 0 resembles 1 more than 2 does, else 2. */
function options(seed = 1, clustersFollowRls = true): AssessmentOptions {
  return {
    decide: (similarity) => ({
      rls: rls(similarity),
      k: 2,
      clusters: [0, 0, 1],
      removed: [similarity[0]![1]! > similarity[1]![2]! ? 1 : 2],
    }),
    clustersFollowRls,
    random: randomNumbers(seed),
  };
}

/** Normal numbers (Box & Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

describe("assess", () => {
  test("equal sequences leave no doubt", () => {
    const { agreement, settled, alternatives, rlsStandardError, entryStandardError } = assess(
      Array.from({ length: 4 }, () => sequence(0.9, 0.5, 0.7)),
      options(),
    );
    expect(agreement).toEqual({ k: 1, clusters: 1, layers: 1 });
    expect([settled, alternatives.length]).toEqual([true, 0]);
    expect(rlsStandardError).toBeCloseTo(0, 12);
    expect(entryStandardError).toBeCloseTo(0, 12);
  });

  test("three sequences are too few, however alike", () => {
    expect(
      assess(
        Array.from({ length: 3 }, () => sequence(0.9, 0.5, 0.7)),
        options(),
      ).settled,
    ).toBe(false);
  });

  test("a coin toss is told as one, with the other side", () => {
    const toss = Array.from({ length: 40 }, (_, i) =>
      i % 2 ? sequence(0.9, 0.5, 0.8) : sequence(0.8, 0.5, 0.899),
    );
    const { agreement, settled, alternatives } = assess(toss, options());
    expect(settled).toBe(false);
    expect(agreement.layers).toBeGreaterThan(0.3);
    expect(agreement.layers).toBeLessThan(0.7);
    expect(alternatives).toEqual([{ removedLayers: [2], share: 1 - agreement.layers }]);
  });

  test("standard errors are those of the textbook", () => {
    const cosines = [0.81, 0.84, 0.79, 0.9, 0.86];
    const measured = cosines.map((cosine) => sequence(cosine, cosine, cosine));
    const mean = cosines.reduce((a, b) => a + b) / 5;
    const error = Math.sqrt(cosines.reduce((sum, c) => sum + (c - mean) ** 2, 0) / 4 / 5);
    const assessed = assess(measured, options());
    expect(assessed.entryStandardError).toBeCloseTo(error, 12);
    expect(assessed.rlsStandardError).toBeCloseTo(error / mean / Math.LN2, 12);
    expect(assess(measured, options(), { outOf: 20 }).entryStandardError).toBeCloseTo(
      error * Math.sqrt(3 / 4),
      12,
    );
  });

  test("resamples vary as new samples would", () => {
    const random = randomNumbers(5);
    const measured = Array.from({ length: 6 }, () => sequence(0.5 + 0.01 * normal(random), 0.3, 0.3));
    const seen: number[] = [];
    const { decide, ...rest } = options(3);
    const watching = (similarity: Parameters<typeof decide>[0]) => {
      seen.push(similarity[0]![1]!);
      return decide(similarity);
    };
    const { entryStandardError } = assess(measured, { ...rest, decide: watching });
    const resamples = seen.slice(1);
    const mean = resamples.reduce((a, b) => a + b) / resamples.length;
    const deviation = Math.sqrt(resamples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / resamples.length);
    expect(deviation / entryStandardError).toBeGreaterThan(0.85);
    expect(deviation / entryStandardError).toBeLessThan(1.15);
  });

  test("a locality score at a threshold is not settled, unless the clusters are given", () => {
    // −log₂ 0.6156 = 0.7
    const measured = Array.from({ length: 8 }, (_, i) => sequence(0.75 + 0.02 * (i % 2), 0.5, 0.5867));
    expect(assess(measured, options()).settled).toBe(false);
    expect(assess(measured, options(1, false)).settled).toBe(true);
  });

  test("once all there is has been measured, nothing can change", () => {
    const toss = [
      sequence(0.9, 0.5, 0.8),
      sequence(0.8, 0.5, 0.89),
      sequence(0.9, 0.5, 0.8),
      sequence(0.8, 0.5, 0.89),
    ];
    expect(assess(toss, options()).settled).toBe(false);
    expect(assess(toss, options(), { outOf: 4 }).settled).toBe(true);
  });

  test("a hurry changes nothing about whether it is settled", () => {
    const random = randomNumbers(9);
    for (let trial = 0; trial < 40; trial++) {
      const gap = 0.03 * random();
      const measured = Array.from({ length: 8 }, () => sequence(0.8 + gap + 0.02 * normal(random), 0.5, 0.8));
      const [slow, fast] = [assess(measured, options()), assess(measured, options(), { hurry: true })];
      expect(fast.settled).toBe(slow.settled);
    }
  });

  test("stopping when it settles gives the answer of all sequences about as often as it claims", () => {
    const random = randomNumbers(11);
    let settled = 0;
    let right = 0;
    for (let trial = 0; trial < 300; trial++) {
      const gap = 0.02 * normal(random);
      const all = Array.from({ length: 32 }, () => sequence(0.8 + gap + 0.04 * normal(random), 0.5, 0.8));
      const answer = (n: number) =>
        options().decide(weightedSimilarity(all.slice(0, n), new Array(n).fill(1))).removed[0];
      const stop = Array.from({ length: 31 }, (_, i) => i + 1).find(
        (n) => isCheckpoint(n) && assess(all.slice(0, n), options(trial), { outOf: 32, hurry: true }).settled,
      );
      if (stop === undefined) continue;
      settled++;
      if (answer(stop) === answer(32)) right++;
    }
    expect(settled).toBeGreaterThan(200);
    expect(right / settled).toBeGreaterThan(0.93);
  });
});

test("looking at the answer gets rarer as sequences get more", () => {
  const looks = Array.from({ length: 128 }, (_, i) => i + 1).filter(isCheckpoint);
  expect(looks.slice(0, 8)).toEqual([4, 5, 6, 7, 8, 10, 12, 14]);
  expect(looks.at(-1)).toBe(128);
  expect(looks.length).toBeLessThan(40);
});
