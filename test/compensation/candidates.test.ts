import { expect, test } from "vitest";
import { bestSets, keepBest } from "../../src/compensation/candidates.ts";
import type { MeasuredSet } from "../../src/documents/measurements.ts";
import type { Plan } from "../../src/documents/plan.ts";
import { planOf } from "../../src/selection/plan.ts";

const measuredSet = (removedLayers: number[], loss: number, complete = true): MeasuredSet => ({
  removedLayers,
  proposedBy: [`proposer of ${removedLayers}`],
  complete,
  sequences: 4,
  loss,
  perplexity: Math.exp(loss),
  difference: { mean: 0, standardError: 0 },
});

const removals = [1, 2].map((layer) => ({ layer, reason: "measured-set", score: 3, text: "as searched" }));
const PLAN: Plan = {
  ...planOf({ blockCount: 6 }, "auto", { removals, passedOver: [] }),
  seed: 7,
  measurements: {
    text: { name: "text", sha256: "" },
    sequences: 4,
    sequenceLength: 8,
    original: null,
    sets: [
      measuredSet([1, 2], 3),
      measuredSet([1, 3], 3.1),
      measuredSet([1], 3.15),
      measuredSet([2, 4], 3.2),
      measuredSet([3, 4], 3.3),
      measuredSet([1, 4], 2, false),
    ],
  },
};

/** A set whose loss with factors is as given, known within 0.02. */
const candidate = (removed: number[], without: number, scaled: number) => ({
  removed,
  compensation: {
    mode: "fit",
    factors: [{ layer: 5, attention: 1.1, feedForward: 0.9 }],
    sequences: 4,
    heldBack: { without, with: scaled, standardError: 0.02, sequences: 4 },
  },
});

test("the best sets of the Plan's size that were measured to the end are tried", () => {
  expect(bestSets(PLAN, 3)).toEqual([
    [1, 2],
    [1, 3],
    [2, 4],
  ]);
  const { measurements: _, ...unmeasured } = PLAN;
  expect(bestSets(unmeasured, 3)).toEqual([[1, 2]]);
});

test("a set that is better with factors takes the place of the one found by the search", () => {
  const chosen = keepBest(PLAN, [
    candidate([1, 2], 3, 2.95),
    candidate([1, 3], 3.1, 2.9),
    candidate([2, 4], 3.2, 2.94),
  ]);
  expect(chosen).toMatchObject({ method: "auto", budget: 2, seed: 7, removedLayers: [1, 3] });
  expect(chosen.keptLayers).toEqual([0, 2, 4, 5]);
  expect(chosen.removals.map(({ layer, score }) => [layer, score])).toEqual([
    [1, 2.9],
    [3, 2.9],
  ]);
  expect(chosen.removals[0]!.text).toContain("with factors, by proposer of 1,3: 2.9000");
  expect(chosen.compensation).toEqual(candidate([1, 3], 3.1, 2.9).compensation);
});

test("factors that do not help beyond the standard error do not count, however low the loss", () => {
  const chosen = keepBest(PLAN, [candidate([1, 2], 3, 2.99), candidate([1, 3], 3.0001, 2.985)]);
  expect(chosen.removals).toEqual(removals);
  expect(chosen.compensation).toEqual({ ...candidate([1, 2], 3, 2.99).compensation, factors: [] });
});

test("what each scored is noted beside its measurement, and nothing beside the others", () => {
  const { measurements } = keepBest(PLAN, [candidate([1, 2], 3, 2.9), candidate([1, 3], 3.1, 3.2)]);
  expect(measurements!.sets.map(({ compensated }) => compensated)).toEqual([
    { loss: 2.9, perplexity: Math.exp(2.9), standardError: 0.02, kept: true },
    { loss: 3.2, perplexity: Math.exp(3.2), standardError: 0.02, kept: false },
    ...Array.from({ length: 4 }, () => undefined),
  ]);
});
