import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Static, TSchema } from "typebox";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { completeAnalysis } from "../../src/analysis/complete.ts";
import {
  type Analysis,
  type AnalysisSchema,
  type PartialAnalysis,
  PartialAnalysisSchema,
} from "../../src/documents/analysis.ts";
import { type Comparison, ComparisonSchema } from "../../src/documents/comparison.ts";
import { readAnalysis, readPlan, readReport, writeDocument } from "../../src/documents/files.ts";
import { type Plan, PlanSchema } from "../../src/documents/plan.ts";
import { type Report, ReportSchema } from "../../src/documents/report.ts";
import { stringifyDocument } from "../../src/documents/stringify.ts";
import { makePlan } from "../../src/selection/plan.ts";
import { documentTypes, type Immutable } from "../support/document-types.ts";
import { referenceSelections } from "../support/reference-selection.ts";

const { similarity } = referenceSelections.find(({ name }) => name === "small-8")!;
const byHand: PartialAnalysis = { schemaVersion: 1, model: { blockCount: 8 }, similarity };
const analysis = completeAnalysis(byHand);
const plan = makePlan(analysis, { method: "lorp", budget: 3 });
const { similarity: _, ...summary } = analysis;
const report: Report = {
  schemaVersion: 1,
  input: { path: "model.gguf", bytes: 1000 },
  output: { path: "pruned.gguf", bytes: 700 },
  analysis: summary,
  plan,
  perplexity: {
    original: 10.5,
    pruned: 12.25,
    ratio: 12.25 / 10.5,
    text: { name: "text", sha256: "00" },
    sequences: 4,
    sequenceLength: 128,
  },
  settings: { threads: 2, gpu: "off" },
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lorp-documents-"));
});
afterEach(() => rm(folder, { recursive: true }));

const saved = async (value: unknown) => {
  const path = join(folder, "document.json");
  await writeFile(path, typeof value === "string" ? value : JSON.stringify(value));
  return path;
};

describe("what is written is read back exactly", () => {
  test.each([
    ["Analysis", analysis, readAnalysis],
    ["Plan", plan, readPlan],
    ["Report", report, readReport],
    ["Report of a dry run", { ...report, output: null, perplexity: null }, readReport],
  ] as const)("%s", async (_, document, read) => {
    const path = join(folder, "document.json");
    await writeDocument(path, document);
    await writeDocument(path, document);
    expect(await read(path)).toEqual(document);
    expect(await readdir(folder)).toEqual(["document.json"]);
  });
});

test("a matrix has one line a row, and a list of layers one line", async () => {
  const path = join(folder, "analysis.json");
  await writeDocument(path, analysis);
  const lines = (await readFile(path, "utf8")).split("\n");
  expect(
    lines.filter((line) => line.startsWith("    [")).map((line) => JSON.parse(line.replace(/,$/, ""))),
  ).toEqual(similarity);
  expect(lines).toContain(`  "clusters": [${analysis.clusters.join(", ")}],`);
});

test("the form of the text", () => {
  const document = {
    b: 1,
    a: { list: [], none: {}, absent: undefined, text: 'a "b"' },
    rows: [[1, 0.1], [null]],
  };
  expect(stringifyDocument(document)).toBe(`{
  "b": 1,
  "a": {
    "list": [],
    "none": {},
    "text": "a \\"b\\""
  },
  "rows": [
    [1, 0.1],
    [null]
  ]
}
`);
});

test("fields that are not known are kept", async () => {
  const path = await saved({ ...byHand, note: "by hand", model: { blockCount: 8, colour: "blue" } });
  expect(await readAnalysis(path)).toMatchObject({ note: "by hand", model: { colour: "blue" } });
});

describe("a bad Analysis is refused with the place and what belongs there", () => {
  const { model: __, ...modelless } = byHand;
  test.each([
    [modelless, "model is missing"],
    [{ ...byHand, model: {} }, "model.blockCount is missing"],
    [{ ...byHand, model: { blockCount: "8" } }, 'model.blockCount should be a whole number, but is "8"'],
    [{ ...byHand, model: { blockCount: 0 } }, "model.blockCount should be at least 1, but is 0"],
    [{ ...byHand, similarity: [[1, null]] }, "similarity[0][1] should be a number, but is null"],
    [{ ...byHand, similarity: 3 }, "similarity should be a list, but is 3"],
    [{ ...byHand, rls: "high" }, 'rls should be a number or null, but is "high"'],
    [{ ...byHand, schemaVersion: "1" }, 'schemaVersion should be a number, but is "1"'],
    [{ ...byHand, schemaVersion: 0 }, "schemaVersion should be 1, but is 0"],
    [{ ...byHand, model: [1, 2] }, "model should be an object, but is a list of 2"],
    [[], "the document should be an object, but is a list of 0"],
    [null, "the document should be an object, but is null"],
  ])("%#: %j", async (value, message) => {
    const path = await saved(value);
    await expect(readAnalysis(path)).rejects.toMatchObject({
      code: "DOCUMENT_INVALID",
      message: `${path}: ${message}.`,
    });
  });
});

test("a newer form is named, with what to do", async () => {
  const path = await saved({ schemaVersion: 2 });
  await expect(readPlan(path)).rejects.toMatchObject({
    code: "DOCUMENT_TOO_NEW",
    message: `${path} has schemaVersion 2, but this lorp reads up to 1: upgrade lorp.`,
  });
});

test.each([
  { removedLayers: [1, 2, 2] },
  { removedLayers: [2, 1], keptLayers: [0, 3, 4, 5, 6, 7] },
  { removedLayers: [1, 8] },
  { keptLayers: [0, 1] },
])("a plan whose layers contradict each other is refused: %j", async (fields) => {
  const path = await saved({ ...plan, ...fields });
  await expect(readPlan(path)).rejects.toThrow("together name each of the 8 layers once");
});

test("what is no JSON, or not there, or a folder", async () => {
  await expect(readPlan(await saved("{"))).rejects.toMatchObject({ code: "DOCUMENT_NOT_JSON" });
  await expect(readPlan(join(folder, "none.json"))).rejects.toMatchObject({
    code: "DOCUMENT_UNREADABLE",
    message: `${join(folder, "none.json")} cannot be read: there is no such file.`,
  });
  await expect(readPlan(folder)).rejects.toMatchObject({ code: "DOCUMENT_UNREADABLE" });
});

test("a document that cannot be written leaves nothing behind", async () => {
  const occupied = join(folder, "occupied");
  await mkdir(join(occupied, "inside"), { recursive: true });
  await expect(writeDocument(occupied, plan)).rejects.toMatchObject({ code: "DOCUMENT_UNWRITABLE" });
  expect(await readdir(folder)).toEqual(["occupied"]);
  await expect(writeDocument(join(folder, "no", "plan.json"), plan)).rejects.toMatchObject({
    code: "DOCUMENT_UNWRITABLE",
  });
});

// After a wanted change of a document's form: npx vitest run test/documents -u
test.each([
  ["analysis", PartialAnalysisSchema],
  ["plan", PlanSchema],
  ["report", ReportSchema],
  ["comparison", ComparisonSchema],
])("the published schema of the %s is the one in force", async (name, schema) => {
  const published = { $schema: "https://json-schema.org/draft/2020-12/schema", ...schema };
  await expect(stringifyDocument(published)).toMatchFileSnapshot(`../../schemas/${name}.schema.json`);
});

test("the types are those of the schemas in force", async () => {
  await expect(await documentTypes()).toMatchFileSnapshot("../../src/documents/types.ts");
  // Judged by the compiler.
  type Inferred<Schema extends TSchema> = Immutable<Static<Schema>>;
  expectTypeOf<Analysis>().toEqualTypeOf<Inferred<typeof AnalysisSchema>>();
  expectTypeOf<PartialAnalysis>().toEqualTypeOf<Inferred<typeof PartialAnalysisSchema>>();
  expectTypeOf<Plan>().toEqualTypeOf<Inferred<typeof PlanSchema>>();
  expectTypeOf<Report>().toEqualTypeOf<Inferred<typeof ReportSchema>>();
  expectTypeOf<Comparison>().toEqualTypeOf<Inferred<typeof ComparisonSchema>>();
});
