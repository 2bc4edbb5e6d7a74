import { Check } from "typebox/value";
import { describe, expect, test } from "vitest";
import { completeAnalysis } from "../../src/analysis/complete.ts";
import { AnalysisSchema, type PartialAnalysis } from "../../src/documents/analysis.ts";
import { referenceSelections } from "../support/reference-selection.ts";

const { similarity, labels } = referenceSelections.find(({ name }) => name === "small-8")!;
const byHand: PartialAnalysis = { schemaVersion: 1, model: { blockCount: 8 }, similarity };

test("works out everything from a matrix", () => {
  const analysis = completeAnalysis(byHand);
  expect(Check(AnalysisSchema, analysis)).toBe(true);
  expect(analysis).toMatchObject({ k: 4, clusters: labels["4"], settings: { seed: 0 } });
  expect(analysis.settings).not.toHaveProperty("clusters");
  expect(analysis.layers.map(({ layer }) => layer)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("completing a complete Analysis changes nothing", () => {
  const analysis = completeAnalysis(byHand, { clusters: 3, seed: 5 });
  expect(completeAnalysis(analysis)).toEqual(analysis);
});

test("keeps fields that it does not know, and the settings", () => {
  const settings = { sequences: 3, seed: 9 };
  const analysis = completeAnalysis({ ...byHand, settings, note: "mine" } as PartialAnalysis);
  expect(analysis).toMatchObject({ settings, note: "mine" });
});

test("a number of clusters can be forced, and is recorded", () => {
  const analysis = completeAnalysis(completeAnalysis(byHand), { clusters: 2 });
  expect(analysis).toMatchObject({ k: 2, clusters: labels["2"], settings: { clusters: 2 } });
  expect(completeAnalysis({ ...byHand, k: 3 }).clusters).toEqual(labels["3"]);
});

test("a matrix of opposed layers has no score and is divided in two", () => {
  const opposed = [0, 1, 2].map((i) => [0, 1, 2].map((j) => (i === j ? 1 : -0.25)));
  const analysis = completeAnalysis({ schemaVersion: 1, model: { blockCount: 3 }, similarity: opposed });
  expect(analysis).toMatchObject({ rls: null, k: 2 });
});

test("blocks that trail the analysed ones have no row", () => {
  const model = { blockCount: 9, analysedBlocks: 8 };
  expect(completeAnalysis({ ...byHand, model }).layers).toHaveLength(8);
});

describe("clusters given by hand", () => {
  test("stand", () => {
    const clusters = [0, 0, 0, 1, 1, 0, 1, 2];
    expect(completeAnalysis({ ...byHand, clusters })).toMatchObject({ k: 3, clusters });
  });

  test.each([
    [{ clusters: [0, 1] }, "clusters has 2 entries, but there are 8 layers."],
    [{ clusters: [0, 2, 1, 0, 0, 0, 0, 0] }, "clusters has 2 before 1: number them by first layer."],
    [{ clusters: [0, 1, 1, 0, 0, 0, 0, 0], k: 3 }, "k is 3, but clusters names 2 of them."],
  ])("are refused if they cannot be: %j", (fields, message) => {
    expect(() => completeAnalysis({ ...byHand, ...fields })).toThrow(message);
  });
});

test.each([0, 9, 2.5, -1])("%s clusters cannot be made of 8 layers", (clusters) => {
  expect(() => completeAnalysis(byHand, { clusters })).toThrow(
    `8 layers cannot be divided into ${clusters} clusters: ask for a number between 1 and 8.`,
  );
});

test("a matrix of another size than the model is refused", () => {
  expect(() => completeAnalysis({ ...byHand, model: { blockCount: 9 } })).toThrow(
    "similarity has 8 rows, but the model has 9 layers.",
  );
});
