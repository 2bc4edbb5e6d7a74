import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { captureSimilarity } from "../../src/analysis/capture.ts";
import { completeAnalysis } from "../../src/analysis/complete.ts";
import { describeModel } from "../../src/api/stages/describe.ts";
import { cutSequences, type SequenceSettings } from "../../src/calibration/sequences.ts";
import type { Analysis } from "../../src/documents/analysis.ts";
import { SCHEMA_VERSION } from "../../src/documents/schema-version.ts";
import { plan } from "../../src/index.ts";
import { openModel } from "../../src/model/model.ts";
import { sharedPath } from "../support/shared.ts";

/** What the paper's own code made of the trained model in PyTorch float32. */
interface Reference {
  readonly similarity: number[][];
  readonly rls: number;
  readonly k: number;
  readonly labels: Record<string, number[]>;
  readonly lorp: Record<string, number[]>;
  readonly lorpForcedK: Record<string, Record<string, number[]>>;
  readonly shortgpt: Record<string, number[]>;
  readonly streamline: Record<string, number[]>;
  readonly sequenceLength: number;
  readonly sequences: number;
  readonly tokenIds: number[][];
  readonly tokenSha256: string;
}

/** As `analyze`, of the text's first windows without BOS, which is what the reference measured. */
async function analyzeFirst(path: string, text: string, settings: SequenceSettings): Promise<Analysis> {
  const { architecture, summary } = await describeModel(path);
  const model = await openModel(path, { gpu: "off" });
  const { sequenceLength } = settings;
  const lanes = model.openLanes({ sequenceLength, states: architecture.states });
  try {
    const sequences = cutSequences(await model.tokenize(readFileSync(text, "utf8")), settings);
    const { similarity } = await captureSimilarity(lanes, sequences);
    return completeAnalysis({ schemaVersion: SCHEMA_VERSION, model: summary, similarity }, {});
  } finally {
    lanes.close();
    model.close();
  }
}

const referencePath = sharedPath("reference", "model.json");
const text = sharedPath("data", "books-valid.txt");

describe.skipIf(!referencePath || !text)("the trained model against the reference in PyTorch", () => {
  const reference: Reference = referencePath ? JSON.parse(readFileSync(referencePath, "utf8")) : undefined;
  const settings = () => ({ sequences: reference.sequences, sequenceLength: reference.sequenceLength });
  const modelPath = (type: string) => sharedPath("models", `books-20l-${type}.gguf`)!;

  test("the same token sequences are analysed", async () => {
    const model = await openModel(modelPath("q8_0"), { gpu: "off" });
    const analysis = cutSequences(await model.tokenize(readFileSync(text!, "utf8")), settings());
    model.close();
    const hash = createHash("sha256");
    for (const tokens of analysis) hash.update(tokens);
    expect(analysis.slice(0, 4).map((tokens) => [...tokens])).toEqual(reference.tokenIds);
    expect(hash.digest("hex")).toBe(reference.tokenSha256);
  });

  test.each([
    ["f16", 1e-4],
    ["q8_0", 1e-3],
    ["q4_k_m", 5e-3],
  ])(
    "the similarities from %s are within %f",
    async (type, tolerance) => {
      const analysis = await analyzeFirst(modelPath(type), text!, settings());
      const errors = reference.similarity.flatMap((row, i) =>
        row.map((value, j) => Math.abs(value - analysis.similarity[i]![j]!)),
      );
      expect(Math.max(...errors)).toBeLessThan(tolerance);
      expect(Math.abs(analysis.rls! - reference.rls)).toBeLessThan(tolerance);
      expect(analysis.k).toBe(reference.k);
      if (type === "q4_k_m") return;

      const removed = (options: object) => plan(analysis, options).removedLayers;
      for (const method of ["lorp", "shortgpt", "streamline"] as const) {
        for (const [budget, layers] of Object.entries(reference[method])) {
          expect([method, budget, removed({ method, remove: Number(budget) })]).toEqual([
            method,
            budget,
            layers,
          ]);
        }
      }
      for (const [k, answers] of Object.entries(reference.lorpForcedK)) {
        for (const [budget, layers] of Object.entries(answers)) {
          expect([k, budget, removed({ clusters: Number(k), remove: Number(budget) })]).toEqual([
            k,
            budget,
            layers,
          ]);
        }
      }
    },
    300_000,
  );
});
