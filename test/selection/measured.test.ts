import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auto } from "../../src/selection/auto.ts";
import { describeTrials } from "../../src/selection/measurements.ts";
import { findAnyMethod, findMethod, SELECTION_METHODS } from "../../src/selection/methods.ts";
import { createRandom } from "../../src/selection/rng.ts";
import { sleb } from "../../src/selection/sleb.ts";
import {
  bestOf,
  createTrials,
  type LossSource,
  lossDifference,
  meanLoss,
} from "../../src/selection/trials.ts";
import type { MeasuredInput, SimilarityMatrix } from "../../src/selection/types.ts";

const TOKENS = 40;
const SEQUENCES = 8;

interface World {
  readonly source: LossSource;
  /** The loss that removing these layers really causes. */
  cost(removed: readonly number[]): number;
  /** Sequences scored so far. */
  scored(): number;
}

/**
 * A model that is not run: each layer costs something, neighbours cost extra together, tokens differ by noise that is
 * the same whatever is removed, and by a little that is not.
 */
function world(layers: number, seed: number, noise = 0.001, atOnce = 1): World {
  const random = createRandom(seed);
  const alone = Array.from({ length: layers }, () => random() ** 2);
  const together = Array.from({ length: layers }, () => random() - 0.3);
  const level = Array.from({ length: SEQUENCES * TOKENS }, () => 3 + random());
  const cost = (removed: readonly number[]) =>
    removed.reduce(
      (sum, layer) => sum + alone[layer]! + (removed.includes(layer + 1) ? together[layer]! : 0),
      0,
    );
  let scored = 0;
  return {
    cost,
    scored: () => scored,
    source: {
      sequences: SEQUENCES,
      atOnce,
      objective: "perplexity",
      tokens: () => TOKENS,
      isKnown: () => false,
      async losses(removed, sequence) {
        scored++;
        const draw = createRandom(removed.reduce((hash, layer) => hash * 31 + layer + 1, sequence));
        return Float64Array.from(
          { length: TOKENS },
          (_, token) => level[sequence * TOKENS + token]! + cost(removed) + noise * (draw() - 0.5),
        );
      },
    },
  };
}

/** A model whose layers resemble each other less the farther they are apart. */
function input(layers: number, given: Partial<MeasuredInput> = {}): MeasuredInput {
  const similarity: SimilarityMatrix = Array.from({ length: layers }, (_, i) =>
    Array.from({ length: layers }, (_, j) => 1 - Math.abs(i - j) / layers),
  );
  const halves = similarity.map((_, layer) => Number(layer >= layers / 2));
  return {
    similarity,
    clusters: halves,
    k: 2,
    constraints: { fixed: [], positional: [] },
    seed: 1,
    clusterings: [{ k: 2, clusters: halves }],
    limits: { evaluations: 1000 },
    ...given,
  };
}

const inner = (layers: number) => Array.from({ length: layers - 2 }, (_, index) => index + 1);
const layersOf = ({ removals }: { removals: readonly { layer: number }[] }) =>
  removals.map(({ layer }) => layer).sort((a, b) => a - b);

describe("trials", () => {
  test("each set is measured once, whoever proposes it and in whatever order", async () => {
    const { source, scored } = world(8, 1);
    const trials = createTrials(source, 12);
    await trials.measure([3, 1], "one");
    const again = await trials.measure([1, 3], "another");
    expect(scored()).toBe(SEQUENCES);
    expect(again).toMatchObject({ removed: [1, 3], proposedBy: ["one", "another"], complete: true });
  });

  test("a clearly worse set is given up early, and finished when that is asked for", async () => {
    const { source } = world(8, 2);
    const trials = createTrials(source, 12);
    const rival = await trials.measure([], "nothing");
    const bad = await trials.measure(inner(8), "everything", { rival });
    expect(bad).toMatchObject({ complete: false });
    expect(bad.losses).toHaveLength(3);
    expect(await trials.measure(inner(8), "everything")).toMatchObject({ complete: true });
  });

  test("a margin allows for as much", async () => {
    const { source, cost } = world(8, 3);
    const trials = createTrials(source, 12);
    const rival = await trials.measure([], "nothing");
    const loss = cost([2, 3]);
    expect((await trials.measure([2, 3], "a", { rival, margin: loss + 0.01 })).complete).toBe(true);
    const other = createTrials(source, 12);
    expect((await other.measure([2, 3], "a", { rival, margin: loss - 0.01 })).complete).toBe(false);
  });

  test("a race finds the best, finishes it and gives the bad ones up", async () => {
    const { source, cost, scored } = world(12, 6);
    const trials = createTrials(source, 12);
    const sets = inner(12).map((layer) => ({ removed: [layer], by: "a race" }));
    const raced = await trials.race(sets);
    expect(raced.map(({ removed }) => removed)).toEqual(sets.map(({ removed }) => removed));
    const costs = sets.map(({ removed }) => cost(removed));
    const best = raced[costs.indexOf(Math.min(...costs))]!;
    expect(bestOf(raced)).toBe(best);
    expect(best.complete).toBe(true);
    expect(scored()).toBeLessThan(0.6 * SEQUENCES * sets.length);
  });

  test("what a race finds does not depend on how many sequences run at the same time", async () => {
    const run = async (atOnce: number) => {
      const trials = createTrials(world(10, 7, 0.5, atOnce).source, 12);
      await trials.measure([4], "one");
      await trials.race(
        inner(10).map((layer) => ({ removed: [layer], by: "all" })),
        { rival: trials.all[0]!, margin: 0.1 },
      );
      return trials.all;
    };
    const alone = await run(1);
    expect(new Set(alone.map(({ losses }) => losses.length)).size).toBeGreaterThan(1);
    for (const atOnce of [2, 3, 50]) expect(await run(atOnce)).toEqual(alone);
  });

  test("differences are paired: what all sets share cancels out", async () => {
    const { source, cost } = world(8, 4);
    const trials = createTrials(source, 12);
    const [a, b] = [await trials.measure([2], "a"), await trials.measure([5], "b")];
    const { mean, standardError } = lossDifference(a, b);
    expect(mean).toBeCloseTo(cost([2]) - cost([5]), 3);
    expect(standardError).toBeLessThan(0.001);
    expect(meanLoss(a)).toBeCloseTo(3.5 + cost([2]), 0);
  });
});

describe("sleb", () => {
  test("is the greedy choice, measured to the end or not", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 5, max: 9 }), fc.nat(), async (layers, seed) => {
        const { source, cost } = world(layers, seed, 0);
        const budget = layers - 3;
        const expected: number[] = [];
        for (let step = 0; step < budget; step++) {
          const left = inner(layers).filter((layer) => !expected.includes(layer));
          const costs = left.map((layer) => cost([...expected, layer]));
          expected.push(left[costs.indexOf(Math.min(...costs))]!);
        }
        const { removals } = await sleb.select(input(layers), budget, createTrials(source, 12));
        const costOf = (order: readonly number[]) => order.map((_, step) => cost(order.slice(0, step + 1)));
        const chosen = costOf(removals.map(({ layer }) => layer));
        for (const [step, value] of costOf(expected).entries()) expect(chosen[step]).toBeCloseTo(value, 9);
      }),
      { numRuns: 40 },
    );
  });

  test("gives most candidates up early", async () => {
    const { source, scored } = world(12, 5);
    const trials = createTrials(source, 12);
    await sleb.select(input(12), 4, trials);
    expect(trials.all).toHaveLength(10 + 9 + 8 + 7);
    expect(scored()).toBeLessThan(0.6 * SEQUENCES * trials.all.length);
  });
});

describe("auto", () => {
  test("ends where no swap of two layers is better, when it may measure enough", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { source, cost } = world(9, seed);
      const chosen = layersOf(await auto.select(input(9), 3, createTrials(source, 12)));
      for (const out of chosen) {
        for (const layer of inner(9).filter((one) => !chosen.includes(one))) {
          const swapped = [...chosen.filter((one) => one !== out), layer];
          expect(cost(swapped)).toBeGreaterThan(cost(chosen) - 0.002);
        }
      }
    }
  });

  test("is never worse than a method that reads the Analysis, on what it is measured on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 6, max: 10 }),
        fc.nat(),
        fc.integer({ min: 1, max: 20 }),
        async (layers, seed, evaluations) => {
          const given = input(layers, { seed, limits: { evaluations } });
          const trials = createTrials(world(layers, seed, 0.1).source, 12);
          const chosen = await trials.measure(layersOf(await auto.select(given, 3, trials)), "chosen");
          for (const method of SELECTION_METHODS) {
            const other = await trials.measure(layersOf(method.select(given, 3)), method.name);
            expect(meanLoss(chosen)).toBeLessThanOrEqual(meanLoss(other));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("is never worse than SLEB, when it may measure what SLEB takes", async () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const trials = createTrials(world(10, seed, 0.1).source, 12);
      const chosen = await trials.measure(
        layersOf(await auto.select(input(10, { limits: {} }), 4, trials)),
        "chosen",
      );
      const greedy = await trials.measure(layersOf(await sleb.select(input(10), 4, trials)), "sleb");
      expect(meanLoss(chosen)).toBeLessThanOrEqual(meanLoss(greedy));
    }
  });

  test("keeps within the evaluations once the methods' own choices are measured", async () => {
    const trials = createTrials(world(12, 7).source, 12);
    await auto.select(input(12, { limits: { evaluations: 20 } }), 4, trials);
    expect(trials.all).toHaveLength(20);
    const few = createTrials(world(12, 7).source, 12);
    await auto.select(input(12, { limits: { evaluations: 1000, seconds: 0 } }), 4, few);
    expect(few.all.length).toBeLessThanOrEqual(SELECTION_METHODS.length + 1);
  });

  test("gives the same answer for the same seed", async () => {
    const run = async () => {
      const trials = createTrials(world(12, 8).source, 12);
      const selection = await auto.select(input(12, { limits: { evaluations: 40 } }), 4, trials);
      return { selection, measured: describeTrials(trials, layersOf(selection)) };
    };
    expect(await run()).toEqual(await run());
  });
});

test.each([sleb, auto])("$name respects the rules of the architecture", async (method) => {
  // Layers alternate in kind, so that only neighbours can go in pairs; layer 3 stays.
  const constraints = {
    fixed: [{ layer: 3, rule: "layer 3 is fixed" }],
    positional: [{ rule: "kinds alternate", kinds: Array.from({ length: 10 }, (_, layer) => layer % 2) }],
  };
  const given = input(10, { constraints });
  const removed = layersOf(await method.select(given, 4, createTrials(world(10, 9).source, 12)));
  expect(removed).not.toContain(3);
  const kept = given.similarity.map((_, layer) => layer).filter((layer) => !removed.includes(layer));
  expect(kept.map((layer) => layer % 2)).toEqual(kept.map((_, place) => place % 2));
  await expect(method.select(given, 3, createTrials(world(10, 9).source, 12))).rejects.toMatchObject({
    code: "SELECTION_IMPOSSIBLE",
  });
});

test("what was measured is listed, complete and best first, against the chosen set", async () => {
  const trials = createTrials(world(12, 10).source, 12);
  await trials.measure([], "the model as it is");
  const chosen = layersOf(await auto.select(input(12, { limits: { evaluations: 40 } }), 4, trials));
  const { original, sets } = describeTrials(trials, chosen);
  expect(original?.perplexity).toBeCloseTo(Math.exp(original!.loss), 9);
  expect(sets[0]).toMatchObject({ removedLayers: chosen, complete: true, difference: { mean: 0 } });
  const ofThatSize = sets.filter(({ removedLayers }) => removedLayers.length === chosen.length);
  expect(sets.slice(0, ofThatSize.length)).toEqual(ofThatSize);
  const complete = ofThatSize.filter((set) => set.complete);
  expect(complete.map(({ loss }) => loss)).toEqual(
    complete.map(({ loss }) => loss).toSorted((a, b) => a - b),
  );
  expect(ofThatSize.slice(complete.length).every((set) => !set.complete && set.difference.mean > 0)).toBe(
    true,
  );
  expect(sets).toHaveLength(trials.all.length - 1);
});

test("methods that measure are known, but not where no model is open", () => {
  expect(findAnyMethod("auto")).toBe(auto);
  expect(() => findMethod("sleb")).toThrow(expect.objectContaining({ code: "METHOD_MEASURES" }));
});
