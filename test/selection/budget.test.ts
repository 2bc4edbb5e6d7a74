import { describe, expect, test } from "vitest";
import { budgetFromRatio, checkBudget, parseLayers } from "../../src/selection/budget.ts";

describe("a number of layers", () => {
  test("of 1 to N - 2 is accepted", () => {
    for (const budget of [1, 9, 18]) expect(() => checkBudget(budget, 20)).not.toThrow();
  });

  test.each([0, 19, 20, -1, 1.5, Number.NaN])("of %s is refused with the range", (budget) => {
    expect(() => checkBudget(budget, 20)).toThrow(
      `Cannot remove ${budget} of 20 layers: ask for 1 to 18, since two always stay.`,
    );
  });

  test("cannot be removed from a model of two", () => {
    expect(() => checkBudget(1, 2)).toThrow("A model of 2 layers cannot be pruned");
  });
});

describe("a ratio", () => {
  test.each([
    [0.25, 20, 5],
    [0.25, 32, 8],
    [0.1, 28, 3],
    [0.9, 20, 18],
  ])("%s of %s layers is %s", (ratio, layers, budget) => {
    expect(budgetFromRatio(ratio, layers)).toBe(budget);
  });

  test.each([0, 1, -0.5, 25, Number.NaN])("of %s is refused", (ratio) => {
    expect(() => budgetFromRatio(ratio, 20)).toThrow(`The ratio ${ratio} is not between 0 and 1`);
  });

  test("of less than a layer is refused", () => {
    expect(() => budgetFromRatio(0.01, 20)).toThrow("less than one: use at least 0.025");
  });
});

describe("a list of layers", () => {
  test.each([
    ["5,7,11-13", [5, 7, 11, 12, 13]],
    [" 9 , 3 - 4 ", [3, 4, 9]],
    ["0", [0]],
  ])("%s", (text, layers) => {
    expect(parseLayers(text)).toEqual(layers);
  });

  test("of numbers is taken as it is, in ascending order, and refused for the same reasons", () => {
    expect(parseLayers([11, 5])).toEqual([5, 11]);
    for (const list of [[], [-1], [1.5], [Number.NaN], [1e21]]) {
      expect(() => parseLayers(list)).toThrow("names no layers");
    }
    expect(() => parseLayers([3, 3])).toThrow("twice");
    expect(() => parseLayers([10_000])).toThrow("no model has");
  });

  test.each(["", "5,", "a", "3-1", "-3", "1.5", "1--2"])("%j is refused", (text) => {
    expect(() => parseLayers(text)).toThrow("names no layers: write indices and ranges, such as 5,7,11-13.");
  });

  test.each(["1-400000000", "10000", `5,${"9".repeat(400)}`])(
    "%s is refused before it is written out",
    (text) => {
      expect(() => parseLayers(text)).toThrow(
        expect.objectContaining({ code: "LAYERS_INVALID", message: expect.stringContaining("no model has") }),
      );
    },
  );

  test("that names a layer twice is refused", () => {
    expect(() => parseLayers("3,1-4")).toThrow('"3,1-4" names layer 3 twice');
  });
});
