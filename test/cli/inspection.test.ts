import { expect, test } from "vitest";
import type { Inspection } from "../../src/api/inspect.ts";
import { describeInspection } from "../../src/cli/text/inspection.ts";

const block = (layer: number, bytes: number, fixedBy?: string) => ({
  layer,
  parameters: bytes,
  bytes,
  types: ["Q8_0"],
  fileShare: bytes / 1000,
  computeShare: bytes / 1000,
  ...(fixedBy && { fixedBy }),
});

/** A model of 1,000 bytes, 240 of them in its layers: the rest is outside. */
const inspection: Inspection = {
  model: { architecture: "llama", blockCount: 6, parameters: 1000, fileBytes: 1000, name: "Small" },
  blocks: [block(0, 40, "a rule"), ...[1, 2, 3].map((layer) => block(layer, 40)), block(4, 20), block(5, 60)],
  rest: {
    parameters: 760,
    bytes: 760,
    computeShare: 0.76,
    parts: [
      { name: "tied embedding", bytes: 700, types: ["F16"], fileShare: 0.7, computeShare: 0.76 },
      { name: "metadata", bytes: 60, types: [], fileShare: 0.06, computeShare: 0 },
    ],
  },
  savings: [1, 2, 3].map((remove) => ({
    remove,
    bytes: 40 * remove,
    fileShare: 0.04 * remove,
    computeShare: 0.04 * remove,
  })),
};

const linesOf = (of: Inspection) => describeInspection(of).replaceAll(/ +/g, " ").split("\n");

test("layers that look the same are one row with what they come to together", () => {
  const lines = linesOf(inspection);
  expect(lines).toContain("0 Q8_0 40 B 4.0 % 4.0 % fixed");
  expect(lines).toContain("1–3 Q8_0 3 × 40 B 12.0 % 12.0 %");
  expect(lines).toContain("4 Q8_0 20 B 2.0 % 2.0 %");
  expect(lines).toContain("5 Q8_0 60 B 6.0 % 6.0 %");
});

test("what holds a layer is said with the layer, and what is outside by its name", () => {
  const lines = linesOf(inspection);
  expect(lines).toContain(" 0: a rule");
  expect(lines).toContain("tied embedding F16 700 B 70.0 % 76.0 %");
  expect(lines).toContain("metadata 60 B 6.0 % 0.0 %");
});

test("that depth saves little is said only where most of the file is outside the layers", () => {
  const text = describeInspection(inspection);
  expect(text).toContain("Depth saves little here: 76.0 % of the file");
  expect(text.replaceAll("\n", " ")).toContain("Without half the layers the file is 8.0 % smaller");
  const deep = { ...inspection, rest: { ...inspection.rest, bytes: 400 } };
  expect(describeInspection(deep)).not.toContain("Depth saves little");
});
