import { describe, expect, test } from "vitest";
import { completeAnalysis } from "../../src/analysis/complete.ts";
import type { PartialAnalysis } from "../../src/documents/analysis.ts";
import { makePlan } from "../../src/selection/plan.ts";
import { type ReferenceSelection, referenceSelections } from "../support/reference-selection.ts";

const byHand = ({ layers, similarity }: ReferenceSelection): PartialAnalysis => ({
  schemaVersion: 1,
  model: { blockCount: layers },
  similarity,
});

function removedByBudget(reference: ReferenceSelection, method: string, budgets: object, clusters?: number) {
  const analysis = completeAnalysis(byHand(reference), { clusters });
  return Object.fromEntries(
    Object.keys(budgets).map((budget) => [
      budget,
      makePlan(analysis, { method, budget: Number(budget) }).removedLayers,
    ]),
  );
}

describe.each(referenceSelections)("as the reference implementation decides: $name", (reference) => {
  test("locality and number of clusters", () => {
    const analysis = completeAnalysis(byHand(reference));
    expect(Math.abs((analysis.rls ?? Number.NaN) - reference.rls)).toBeLessThan(1e-6);
    expect(analysis.k).toBe(reference.k);
  });

  test.each(["2", "3", "4"])("clusters for K = %s, whatever the seed", (k) => {
    for (const seed of [0, 1, 42, 2 ** 40]) {
      const { clusters } = completeAnalysis(byHand(reference), { clusters: Number(k), seed });
      expect(clusters).toEqual(reference.labels[k]);
    }
  });

  test("layers removed by lorp", () => {
    expect(removedByBudget(reference, "lorp", reference.lorp)).toEqual(reference.lorp);
  });

  test.each(Object.entries(reference.lorpForcedK))(
    "layers removed by lorp with K forced to %s",
    (k, budgets) => {
      expect(removedByBudget(reference, "lorp", budgets, Number(k))).toEqual(budgets);
    },
  );

  test.each(["shortgpt", "streamline"] as const)("layers removed by %s", (method) => {
    expect(removedByBudget(reference, method, reference[method])).toEqual(reference[method]);
  });
});
