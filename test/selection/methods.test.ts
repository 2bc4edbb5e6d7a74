import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { SelectionError } from "../../src/selection/errors.ts";
import { findMethod, SELECTION_METHODS } from "../../src/selection/methods.ts";
import { type SelectionInput, UNCONSTRAINED } from "../../src/selection/types.ts";
import { arbitraryInput } from "../support/selection-arbitraries.ts";
import { innerSubsets, isLegal } from "../support/selection-brute-force.ts";

const removedBy = (method: string, input: SelectionInput, budget: number) =>
  findMethod(method)
    .select(input, budget)
    .removals.map(({ layer }) => layer);

const unconstrained = (input: SelectionInput): SelectionInput => ({ ...input, constraints: UNCONSTRAINED });

const inputAndBudget = arbitraryInput(3, 9).chain((input) =>
  fc.record({ input: fc.constant(input), budget: fc.integer({ min: 1, max: input.similarity.length - 2 }) }),
);

describe.each(SELECTION_METHODS)("$name", (method) => {
  test("removes as many layers as asked, never a protected one, and the same ones again", () => {
    fc.assert(
      fc.property(inputAndBudget, ({ input, budget }) => {
        const free = unconstrained(input);
        const selection = method.select(free, budget);
        const layers = selection.removals.map(({ layer }) => layer);
        expect(new Set(layers).size).toBe(budget);
        expect(layers).not.toContain(input.similarity.length - 1);
        const nothingAlike =
          method.name === "streamline" && input.similarity.flat().some((value) => value <= 0);
        if (!nothingAlike) expect(layers).not.toContain(0);
        expect(selection.passedOver).toEqual([]);
        expect(method.select(free, budget)).toEqual(selection);
      }),
    );
  });

  test("obeys the constraints, or says that they leave no such set", () => {
    fc.assert(
      fc.property(inputAndBudget, ({ input, budget }) => {
        const layers = input.similarity.length;
        const legal = innerSubsets(layers).filter(
          (set) => set.length === budget && isLegal(input.constraints, layers, set),
        );
        try {
          const { removals, passedOver } = method.select(input, budget);
          const removed = removals.map(({ layer }) => layer);
          expect(removed.length).toBe(budget);
          expect(isLegal(input.constraints, layers, removed)).toBe(true);
          for (const { layer } of passedOver) expect(removed).not.toContain(layer);
        } catch (error) {
          if (!(error instanceof SelectionError)) throw error;
          const runs = legal.filter((set) => set.every((layer, index) => layer === (set[0] ?? 0) + index));
          const choosesRuns = method.name === "streamline" || method.name === "angular";
          expect(choosesRuns ? runs : legal).toEqual([]);
          const advice = /: remove (\d+)(?: or (\d+))? instead\.$/.exec(error.message) ?? [];
          for (const size of advice.slice(1).filter((text) => text !== undefined)) {
            expect(method.select(input, Number(size)).removals).toHaveLength(Number(size));
          }
        }
      }),
    );
  });

  test("takes the layers it would take anyway if they are legal", () => {
    fc.assert(
      fc.property(inputAndBudget, ({ input, budget }) => {
        const free = removedBy(method.name, unconstrained(input), budget);
        fc.pre(isLegal(input.constraints, input.similarity.length, free));
        expect(removedBy(method.name, input, budget).sort()).toEqual(free.sort());
      }),
    );
  });
});

describe("methods that take one layer after another", () => {
  test.each(["lorp", "shortgpt", "last", "random"])(
    "%s: a larger budget removes more, not others",
    (name) => {
      fc.assert(
        fc.property(inputAndBudget, ({ input, budget }) => {
          const free = unconstrained(input);
          const all = removedBy(name, free, free.similarity.length - 2);
          expect(removedBy(name, free, budget)).toEqual(all.slice(0, budget));
        }),
      );
    },
  );
});

test("shortgpt removes the set with the least sum of block influence", () => {
  fc.assert(
    fc.property(inputAndBudget, ({ input, budget }) => {
      const cost = (set: readonly number[]) =>
        set.reduce((sum, layer) => sum + 1 - (input.similarity[layer]?.[layer + 1] ?? 0), 0);
      const sets = innerSubsets(input.similarity.length).filter((set) => set.length === budget);
      const least = Math.min(...sets.map(cost));
      expect(cost(removedBy("shortgpt", unconstrained(input), budget))).toBeCloseTo(least, 12);
    }),
  );
});

test.each(["streamline", "angular"])("%s removes the first of the most alike legal runs", (name) => {
  fc.assert(
    fc.property(inputAndBudget, ({ input, budget }) => {
      const { similarity, constraints } = input;
      let best: number[] | undefined;
      for (let start = 1; start + budget < similarity.length; start++) {
        const run = Array.from({ length: budget }, (_, index) => start + index);
        const alike = (of: readonly number[]) => similarity[of[0] ?? 0]?.[(of[0] ?? 0) + budget] ?? 0;
        if (isLegal(constraints, similarity.length, run) && (!best || alike(run) > alike(best))) best = run;
      }
      fc.pre(best !== undefined && similarity.flat().every((value) => value > 0));
      expect(removedBy(name, input, budget)).toEqual(best);
    }),
  );
});

/**
 * LoRP written out as in the paper, for matrices without ties: stage 1 one layer a cluster, stage 2 by the remaining
 * members' mean similarity. Recomputes everything at every step.
 */
function lorpByDefinition({ similarity, clusters, k }: SelectionInput, budget: number): number[] {
  const n = similarity.length;
  const s = (i: number, j: number) => similarity[i]?.[j] ?? 0;
  const removed: number[] = [];
  const members = (cluster: number) => [...clusters.keys()].filter((layer) => clusters[layer] === cluster);
  const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const nextOf = (cluster: number) => {
    const redundancy = (layer: number) => {
      const others = members(cluster).filter((other) => other !== layer);
      return others.length === 0 ? 0 : average(others.map((other) => s(layer, other)));
    };
    const open = members(cluster).filter((layer) => layer > 0 && layer < n - 1 && !removed.includes(layer));
    return open.sort((a, b) => redundancy(b) - redundancy(a) || a - b)[0];
  };
  for (let cluster = 0; cluster < k && removed.length < budget; cluster++) {
    const layer = nextOf(cluster);
    if (layer !== undefined) removed.push(layer);
  }
  while (removed.length < budget) {
    const density = (cluster: number) => {
      const left = members(cluster).filter((layer) => !removed.includes(layer));
      if (left.length < 2) return Number.NEGATIVE_INFINITY;
      return average(left.flatMap((i) => left.filter((j) => j > i).map((j) => s(i, j))));
    };
    const open = [...Array(k).keys()].filter((cluster) => nextOf(cluster) !== undefined);
    const highest = Math.max(...open.map(density));
    removed.push(nextOf(open.find((cluster) => density(cluster) === highest) ?? 0) ?? -1);
  }
  return removed;
}

test("lorp follows the paper's two stages", () => {
  fc.assert(
    fc.property(inputAndBudget, ({ input, budget }) => {
      expect(removedBy("lorp", unconstrained(input), budget)).toEqual(lorpByDefinition(input, budget));
    }),
  );
});

test("lorp passes over a fixed layer and takes the next of its cluster", () => {
  const similarity = [
    [1, 0.5, 0.5, 0.5],
    [0.5, 1, 0.9, 0.8],
    [0.5, 0.9, 1, 0.7],
    [0.5, 0.8, 0.7, 1],
  ];
  const constraints = { fixed: [{ layer: 1, rule: "it must stay" }], positional: [] };
  const input = { similarity, clusters: [0, 0, 0, 0], k: 1, constraints, seed: 0 };
  expect(findMethod("lorp").select(input, 1)).toEqual({
    removals: [
      {
        layer: 2,
        reason: "stage-1",
        score: expect.closeTo(0.7, 12),
        cluster: 0,
        text: "the most redundant layer of cluster 0: mean similarity 0.7000 to the others there",
      },
    ],
    passedOver: [{ layer: 1, rule: "it must stay" }],
  });
});

test("random depends on the seed, and is the same on every platform", () => {
  const similarity = Array.from({ length: 20 }, () => Array<number>(20).fill(1));
  const drawn = (seed: number) =>
    removedBy("random", { similarity, clusters: [], k: 1, constraints: UNCONSTRAINED, seed }, 5);
  expect(new Set([0, 1, 2, 2 ** 32, 2 ** 52].map((seed) => drawn(seed).join())).size).toBe(5);
  expect(drawn(42)).toEqual([13, 8, 17, 12, 16]);
});

test("an unknown method is named with those there are", () => {
  expect(() => findMethod("lrop")).toThrow(UsageError);
  expect(() => findMethod("lrop")).toThrow(
    'There is no method "lrop": choose one of lorp, shortgpt, streamline, angular, last, random, sleb, auto.',
  );
});
