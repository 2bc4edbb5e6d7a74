import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { impossible, legalSizes, nearestSizes, ruleAgainst } from "../../src/selection/constraints.ts";
import { UNCONSTRAINED } from "../../src/selection/types.ts";
import { arbitraryConstraints } from "../support/selection-arbitraries.ts";
import { innerSubsets, isLegal } from "../support/selection-brute-force.ts";

const ruledModel = fc
  .integer({ min: 2, max: 9 })
  .chain((layers) => fc.record({ layers: fc.constant(layers), constraints: arbitraryConstraints(layers) }));

test("the sizes of legal sets are those of an exhaustive search", () => {
  fc.assert(
    fc.property(ruledModel, ({ layers, constraints }) => {
      const legal = innerSubsets(layers).filter((set) => isLegal(constraints, layers, set));
      const sizes = [...new Set(legal.map((set) => set.length))].sort((a, b) => a - b);
      expect(legalSizes(constraints, layers)).toEqual(sizes);
    }),
    { numRuns: 300 },
  );
});

test("a rule speaks against a set exactly if no legal set of the budget contains it", () => {
  fc.assert(
    fc.property(ruledModel, fc.nat(), fc.nat(), ({ layers, constraints }, pick, budgetPick) => {
      const subsets = innerSubsets(layers);
      const removed = subsets[pick % subsets.length] ?? [];
      const budget = budgetPick % layers;
      const exists = subsets.some(
        (set) =>
          set.length === budget &&
          removed.every((layer) => set.includes(layer)) &&
          isLegal(constraints, layers, set),
      );
      const rule = ruleAgainst(constraints, layers, new Set(removed), budget);
      expect(rule === null).toBe(exists);
    }),
    { numRuns: 300 },
  );
});

describe("the rule that is named", () => {
  const everyThird = { rule: "every third block", kinds: [0, 0, 1, 0, 0, 1, 0, 0, 1] };
  const allSame = { rule: "no matter", kinds: [7, 7, 7, 7, 7, 7, 7, 7, 7] };

  test("is the one that holds a fixed layer", () => {
    const fixed = [{ layer: 4, rule: "shares its cache" }];
    expect(ruleAgainst({ fixed, positional: [] }, 9, new Set([4]), 1)).toBe("shares its cache");
    expect(ruleAgainst({ fixed, positional: [] }, 9, new Set([5]), 1)).toBeNull();
  });

  test("is the positional one that is broken, not one that is kept", () => {
    const constraints = { fixed: [], positional: [allSame, everyThird] };
    expect(ruleAgainst(constraints, 9, new Set([2]), 1)).toBe("every third block");
    expect(ruleAgainst(constraints, 9, new Set([1, 2, 3]), 3)).toBeNull();
  });

  test("is all of them where none is broken alone", () => {
    // With block 1 of five removed, one rule allows 2 to go as well, the other 3, and none both.
    const even = { rule: "even blocks", kinds: [0, 1, 0, 1, 0] };
    const third = { rule: "block 3", kinds: [0, 0, 0, 1, 0] };
    const against = (positional: (typeof even)[]) =>
      ruleAgainst({ fixed: [], positional }, 5, new Set([1]), 2);
    expect(against([even])).toBeNull();
    expect(against([third])).toBeNull();
    expect(against([even, third])).toBe("even blocks; block 3");
  });

  test("is not one that holds layers which are never candidates", () => {
    const fixed = [{ layer: 8, rule: "prediction block" }];
    expect(ruleAgainst({ fixed, positional: [everyThird] }, 9, new Set(), 4)).toBe("every third block");
  });

  test("is that of fixed layers if too few are free", () => {
    const fixed = [1, 2, 3, 4].map((layer) => ({ layer, rule: "held" }));
    expect(ruleAgainst({ fixed, positional: [] }, 9, new Set(), 4)).toBe("held");
  });

  test("is the one about the number of layers", () => {
    const constraints = { ...UNCONSTRAINED, lengths: [{ rule: "scale by depth", allowed: [9, 7] }] };
    expect(ruleAgainst(constraints, 9, new Set([3]), 1)).toBe("scale by depth");
    expect(ruleAgainst(constraints, 9, new Set([3]), 2)).toBeNull();
  });

  test("is the one about a kind of which one must stay, once the last of it would go", () => {
    const constraints = { ...UNCONSTRAINED, oneOf: [{ rule: "an attention block", layers: [2, 5] }] };
    expect(ruleAgainst(constraints, 9, new Set([2]), 1)).toBeNull();
    expect(ruleAgainst(constraints, 9, new Set([2, 5]), 2)).toBe("an attention block");
    expect(ruleAgainst(constraints, 9, new Set([2]), 7)).toBe("an attention block");
    expect(legalSizes(constraints, 9).at(-1)).toBe(6);
  });

  test("is the one about a block that others take more from than its output", () => {
    const constraints = { ...UNCONSTRAINED, shared: [{ rule: "the indexer", layer: 2, by: [3, 4] }] };
    expect(ruleAgainst(constraints, 9, new Set([2, 3]), 2)).toBe("the indexer");
    expect(ruleAgainst(constraints, 9, new Set([2, 3]), 3)).toBeNull();
    expect(ruleAgainst(constraints, 9, new Set([2, 3, 4]), 3)).toBeNull();
    expect(ruleAgainst(constraints, 9, new Set([3]), 1)).toBeNull();
  });

  test("is the one about what may come first or last", () => {
    const ends = [
      { rule: "sizes of the first", end: "first" as const, layers: [0, 1, 4] },
      { rule: "a feed-forward last", end: "last" as const, layers: [7, 8] },
    ];
    expect(ruleAgainst({ ...UNCONSTRAINED, ends }, 9, new Set([0]), 1)).toBeNull();
    expect(ruleAgainst({ ...UNCONSTRAINED, ends }, 9, new Set([0, 1]), 2)).toBe("sizes of the first");
    expect(ruleAgainst({ ...UNCONSTRAINED, ends }, 9, new Set([8]), 1)).toBeNull();
    expect(ruleAgainst({ ...UNCONSTRAINED, ends }, 9, new Set([7, 8]), 2)).toBe("a feed-forward last");
  });

  test("comes with the nearest budgets", () => {
    const constraints = { fixed: [], positional: [everyThird] };
    expect(legalSizes(constraints, 9)).toEqual([0, 3, 6]);
    const error = impossible("every third block", 9, 4, [0, 3, 6], "layers");
    expect(error.code).toBe("SELECTION_IMPOSSIBLE");
    expect(error.message).toBe(
      "No 4 layers can be removed from this model's 9 (every third block): remove 3 or 6 instead.",
    );
  });
});

test("nearest sizes leave out 0 and what lies beyond the ends", () => {
  expect(nearestSizes([0, 3, 6], 1)).toEqual([3]);
  expect(nearestSizes([0, 3, 6], 7)).toEqual([6]);
  expect(nearestSizes([0], 2)).toEqual([]);
});
