import { expect, test } from "vitest";
import { changes, provenance, viewOf } from "../../src/report/view.ts";
import { analysis20, comparison20, report20 } from "./documents.ts";

test("each kind of document is told from the others, and summed up", () => {
  expect(viewOf(analysis20)).toMatchObject({
    kind: "analysis",
    title: "Books 20L",
    summary:
      "Its layers' inputs resemble each other across the depth of the model: RLS 0.426. LoRP looks for removable layers in 4 clusters of its 20 layers.",
  });
  expect(viewOf(report20.plan)).toMatchObject({
    kind: "plan",
    summary: "5 of 20 layers go, chosen by lorp: 3, 10, 16–18.",
  });
  expect(viewOf(report20)).toMatchObject({
    kind: "report",
    summary:
      "5 of 20 layers go, chosen by lorp: 3, 10, 16–18. The file goes from 13.8 MB to 10.7 MB (−22.5 %). Perplexity on held-back text goes from 57.86 to 64.21 (+11.0 %).",
  });
  expect(viewOf(comparison20)).toMatchObject({
    kind: "comparison",
    summary: "4 methods at budgets 2–8, measured on books-valid.txt.",
  });
});

test("what was not measured is not said", () => {
  const { divergence: _, ...rest } = report20;
  const dry = viewOf({ ...rest, output: null, perplexity: null });
  expect(dry.summary).toBe("5 of 20 layers go, chosen by lorp: 3, 10, 16–18.");
  expect(changes(dry).map(({ label }) => label)).toEqual(["layers"]);
  expect(changes(viewOf(analysis20))).toEqual([]);
});

test("a model without a name is called after its file, or its architecture", () => {
  const { name: _, ...nameless } = report20.plan.model;
  expect(viewOf({ ...report20, plan: { ...report20.plan, model: nameless } }).title).toBe("model-q8_0.gguf");
  expect(viewOf({ ...analysis20, model: nameless }).title).toBe("llama");
});

test("a matrix of no positive mean has no score to state", () => {
  expect(viewOf({ ...analysis20, rls: null }).summary).toContain("counts as local. LoRP looks");
});

test("all that is needed to repeat it is listed", () => {
  expect(Object.fromEntries(provenance(viewOf(report20)))).toMatchObject({
    fingerprint: "xxh-5d1c7f0e9a3b42",
    "calibration text": "books-valid.txt",
    sequences: "32 × 512 tokens",
    seed: "0",
    method: "lorp",
  });
});
