import { expect, test } from "vitest";
import { completeAnalysis } from "../../src/analysis/complete.ts";
import { checkDocument } from "../../src/documents/files.ts";
import { SELECTION_METHODS } from "../../src/selection/methods.ts";
import { dropPrediction, explicitPlan, keepPrediction, makePlan } from "../../src/selection/plan.ts";
import { referenceSelections } from "../support/reference-selection.ts";

const reference = referenceSelections.find(({ name }) => name === "small-8")!;
const model = {
  fingerprint: "abc",
  blockCount: 10,
  analysedBlocks: 8,
  constraints: { fixed: [], positional: [] },
};
const analysis = completeAnalysis({ schemaVersion: 1, model, similarity: reference.similarity });

test.each(SELECTION_METHODS)(
  "a plan by $name is a valid document that keeps what trails the layers",
  async ({ name }) => {
    const plan = makePlan(analysis, { method: name, budget: 3 });
    expect(await checkDocument("plan", JSON.parse(JSON.stringify(plan)), "plan")).toEqual(plan);
    expect(plan).toMatchObject({
      schemaVersion: 1,
      method: name,
      budget: 3,
      k: 4,
      seed: 0,
      rls: analysis.rls,
    });
    expect(plan.model).toEqual({ fingerprint: "abc", blockCount: 10, analysedBlocks: 8 });
    expect(plan.removals.map(({ layer }) => layer).sort()).toEqual(plan.removedLayers);
    expect([...plan.removedLayers, ...plan.keptLayers].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(plan.keptLayers).toEqual(expect.arrayContaining([8, 9]));
  },
);

test("layers named by the user, the first and the last included", () => {
  const plan = explicitPlan(model, [0, 3, 7]);
  expect(plan).toMatchObject({
    method: "named",
    budget: 3,
    removedLayers: [0, 3, 7],
    keptLayers: [1, 2, 4, 5, 6, 8, 9],
  });
  expect(plan).not.toHaveProperty("rls");
});

test("layers named by the user that cannot go", () => {
  expect(() => explicitPlan(model, [3, 10])).toThrow("There is no layer 10: the model's layers are 0 to 7.");
  expect(() => explicitPlan(model, [3, 8])).toThrow(
    "Layer 8 predicts tokens ahead (MTP), which `dropMtp` drops: the model's layers are 0 to 7.",
  );
  expect(() => explicitPlan(model, [])).toThrow("Cannot remove 0 of 8 layers");
  expect(() => explicitPlan(model, [0, 1, 2, 3, 4, 5, 6])).toThrow("Cannot remove 7 of 8 layers");
  const constraints = { fixed: [{ layer: 3, rule: "its cache is shared" }], positional: [] };
  expect(() => explicitPlan({ ...model, constraints }, [2, 3])).toThrow(
    "Layers 2, 3 cannot be removed (its cache is shared)",
  );
});

test("prediction blocks that are dropped besides", async () => {
  const plan = dropPrediction(makePlan(analysis, { method: "last", budget: 2 }));
  expect(await checkDocument("plan", JSON.parse(JSON.stringify(plan)), "plan")).toEqual(plan);
  expect(plan).toMatchObject({ budget: 2, removedLayers: [5, 6, 8, 9], keptLayers: [0, 1, 2, 3, 4, 7] });
  expect(plan.removals.map(({ layer }) => layer)).toEqual(expect.arrayContaining([8, 9]));
  expect(dropPrediction(plan)).toEqual(plan);
  expect(keepPrediction(plan)).toEqual(makePlan(analysis, { method: "last", budget: 2 }));
  const { analysedBlocks: _, ...whole } = model;
  expect(() => dropPrediction(explicitPlan(whole, [3]))).toThrow(/no layers that predict tokens ahead/);
});

test("an unusable budget or method", () => {
  expect(() => makePlan(analysis, { method: "lorp", budget: 7 })).toThrow("Cannot remove 7 of 8 layers");
  expect(() => makePlan(analysis, { method: "best", budget: 2 })).toThrow('There is no method "best"');
});
