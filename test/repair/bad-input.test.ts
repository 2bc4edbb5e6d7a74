import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { describeRepair } from "../../src/cli/text/repair.ts";
import type { Repair } from "../../src/documents/repair.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { prune } from "../../src/index.ts";
import { openModel } from "../../src/model/model.ts";
import { storeMap } from "../../src/repair/tensor.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { OVERFLOWS_WITHOUT_1_OR_2, writeScaledExample } from "../support/scaled.ts";

const folder = temporaryFolder();
const quick = { gpu: "off", threads: 1, sequences: 4, sequenceLength: 128, dryRun: true } as const;

test("text that is short for the width of a map is said, with what is needed and what λ does", () => {
  const told = (tokens: number): Repair => ({
    kind: "refit",
    calibration: { name: "text", sha256: "0".repeat(64), part: "analysis" },
    tokens,
    heldBack: { divergence: 0.4, sequences: 32 },
    tried: [
      {
        kind: "refit",
        gaps: [{ after: 7, ridge: 0.1, type: "Q8_0", features: 768, bytes: 0, divergence: 0.3 }],
        divergence: 0.3,
        standardError: 0.01,
      },
    ],
    refused: [],
  });
  const lines = (tokens: number) => describeRepair(told(tokens)).replace(/\s+/g, " ");
  expect(lines(1535)).toContain(
    "λ 0.1, which decides what the text does not: 1535 tokens are few for 768 features, give 1536 or more (--calibration, --sequences)",
  );
  expect(lines(1536)).not.toContain("few");
});

test("equations without a solution: the kind is named, and auto goes on with the other", async () => {
  // What goes into block 7's ffn_down is 0 throughout.
  const path = await writeScaledExample(join(folder, "zero.gguf"), { "blk.7.ffn_up.weight": 0 });
  const asked = { ...quick, layers: "8-10" };
  await expect(prune(path, { ...asked, repair: "refit" })).rejects.toMatchObject({ code: "REPAIR_SINGULAR" });
  const { plan } = await prune(path, { ...asked, repair: "auto" });
  expect(plan.repair!.tried.map(({ kind }) => kind)).toEqual(["bridge"]);
  expect(plan.repair!.refused).toEqual([{ kind: "refit", reason: expect.stringContaining("0 throughout") }]);
});

test("a map with values that no quantised type holds is refused, by what should hold it", async () => {
  const model = await openModel(EXAMPLE_MODEL, quick);
  const { tensors } = await readGguf(EXAMPLE_MODEL);
  const replaces = tensors.find(({ name }) => name === "blk.7.ffn_down.weight");
  const place = { weight: "", epsilon: 1e-5, features: 256, targets: 1, replaces, types: [] };
  const importance = new Float32Array(256).fill(1);
  const store = (largest: number, type: number) =>
    storeMap(model, place, new Float32Array(256).fill(largest), type, importance, undefined);
  const [F32, IQ3_S] = [0, 21];
  await expect(store(1e30, IQ3_S)).rejects.toMatchObject({
    code: "REPAIR_SINGULAR",
    message: expect.stringContaining(
      "No map fits into blk.7.ffn_down.weight: its values would go up to 1.00e+30",
    ),
  });
  expect((await store(1e30, F32)).map[0]).toBeCloseTo(1e30, -24);
  expect((await store(65504, IQ3_S)).map.every(Number.isFinite)).toBe(true);
  model.close();
});

test("a model that computes NaN once layers are missing is refused by them", async () => {
  const path = await writeScaledExample(join(folder, "overflow.gguf"), OVERFLOWS_WITHOUT_1_OR_2);
  const model = await openModel(path, quick);
  const { states } = describeArchitecture(await readGguf(path));
  const [session, original] = [0, 1].map(() => model.openSession({ sequenceLength: 128, states }));
  const text = readFileSync("calibration/default.txt", "utf8");
  // Here values are as large as they become in that text.
  const tokens = (await model.tokenize(text.slice(0, 30_000))).subarray(2944, 3072);
  const normalized = model.openSums(256, 256);
  const gap = { before: 14, last: 15, weight: "", epsilon: 1e-5, skip: [2], normalized, original };
  await expect(session!.gather(tokens, gap)).rejects.toMatchObject({
    code: "RUNTIME_NAN",
    message: expect.stringContaining("without the layers 2"),
  });
  model.close();

  const calibration = join(folder, "large.txt");
  writeFileSync(calibration, text.slice(7835, 8435).repeat(20));
  const asked = { ...quick, calibration, layers: "2", repair: "bridge" } as const;
  await expect(prune(path, asked)).rejects.toMatchObject({
    code: "REPAIR_IMPOSSIBLE",
    message: expect.stringContaining("Without the layers 2 the model computes no numbers"),
  });
});
