import { stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { apply } from "../../src/api/apply.ts";
import type { Compensation } from "../../src/documents/compensation.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { QUANTIZATION_TYPES, quantizeFile } from "../../src/model/quantize.ts";
import { explicitPlan } from "../../src/selection/plan.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { randomNumbers } from "../support/gguf.ts";
import { type LogitsOptions, logitsOf, normalisedError } from "../support/logits.ts";

/** Blocks of the example that are tried on: fewer take less time. */
const BLOCKS = 8;
const REMOVED = [2, 3, 5];
const random = randomNumbers(11);
const COMPENSATION: Compensation = {
  mode: "fit",
  factors: Array.from({ length: BLOCKS }, (_, layer) => ({
    layer,
    attention: 0.7 + 0.6 * random(),
    feedForward: 0.7 + 0.6 * random(),
  })).filter(({ layer }) => layer > 2 && !REMOVED.includes(layer)),
};
const CHANGES = { skip: REMOVED, factors: COMPENSATION.factors };
const TOKENS = Int32Array.from({ length: 48 }, (_, i) => (i * 811 + 17) % 4096);

/** Everything that llama.cpp makes of the example without an importance matrix and that has scales to multiply. */
const TYPES = [...QUANTIZATION_TYPES.keys()].filter((type) => !/_S$|_L$|^IQ3_[MX]|^IQ[12]|MXFP4/.test(type));

/** Types whose products llama.cpp computes without rounding activations to 8 bits. */
const FLOATS = new Set(["F16", "BF16"]);

const folder = temporaryFolder();
const model = join(folder, "model.gguf");
beforeAll(async () => {
  const others = Array.from({ length: 20 - BLOCKS }, (_, layer) => layer + BLOCKS - 1);
  await apply(EXAMPLE_MODEL, explicitPlan({ blockCount: 20 }, others), { output: model });
});

describe.each(TYPES)("%s", (type) => {
  test("the file computes what the original computes with blocks skipped and outputs scaled", async () => {
    const input = join(folder, "quantised.gguf");
    await quantizeFile(model, input, type, { gpu: "off", threads: 2, allowRequantize: true });
    const plan = explicitPlan({ blockCount: BLOCKS }, REMOVED);
    const plain = await apply(input, plan, { output: join(folder, "plain.gguf"), force: true });
    const compensated = await apply(
      input,
      { ...plan, compensation: COMPENSATION },
      { output: join(folder, "compensated.gguf"), force: true },
    );
    const virtual = await logits(input, CHANGES);
    const written = await logits(compensated.path);
    const effect = normalisedError(await logits(plain.path), written);
    expect(effect).toBeGreaterThan(1e-3);
    if (type === "F32") {
      expect(normalisedError(virtual, written)).toBeLessThan(1e-9);
      return;
    }
    if (FLOATS.has(type)) expect(normalisedError(virtual, written)).toBeLessThan(1e-5);
    // The CPU rounds activations to 8 bits before it multiplies them with quantised weights: the last bits decide.
    expect(normalisedError(virtual, written)).toBeLessThan(effect / 10);
    // The same weights without that rounding.
    const [exactInput, exactWritten] = [join(folder, "a.gguf"), join(folder, "b.gguf")];
    await toF32(input, exactInput);
    await toF32(compensated.path, exactWritten);
    const exact = normalisedError(await logits(exactInput, CHANGES), await logits(exactWritten));
    expect(exact).toBeLessThan(1e-5);
  });
});

const toF32 = (input: string, output: string) =>
  quantizeFile(input, output, "F32", { gpu: "off", threads: 2, allowRequantize: true });

/** Rounding keys and values to f16 would be most of what differs. */
const logits = (path: string, changes: LogitsOptions = {}) =>
  logitsOf(path, TOKENS, { ...changes, exactAttention: true });

test("the file says what was scaled by how much, and is no larger", async () => {
  const plan = explicitPlan({ blockCount: BLOCKS }, REMOVED);
  const plain = await apply(model, plan, { output: join(folder, "plain.gguf"), force: true });
  const compensated = await apply(
    model,
    { ...plan, compensation: COMPENSATION },
    { output: join(folder, "compensated.gguf"), force: true },
  );
  const size = async (path: string) => (await stat(path)).size;
  expect((await size(compensated.path)) / (await size(plain.path))).toBeLessThan(1.001);
  const { metadata } = await readGguf(compensated.path);
  expect(metadata.get("lorp.compensation")?.decode().value).toBe("fit");
  expect(metadata.get("lorp.attention_factors")?.decode().value).toEqual([
    ...[1, 1],
    ...COMPENSATION.factors.map(({ attention }) => attention),
  ]);
});
