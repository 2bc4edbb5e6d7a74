import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { DECI_SOURCES, deciRefusal, planDeciRewrite } from "../../src/architecture/deci.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";
import { applyPlan } from "../../src/surgery/apply.ts";
import { buildFixture } from "../support/architectures.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { randomNumbers } from "../support/gguf.ts";

const TOKENS = 48;
const everyBlock = (count: number) => Array.from({ length: count }, (_, index) => index);

/** What a fixture has that `deci` has not, or that the source itself does not read. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  qwen2: ["output.bias"],
  ernie4_5: everyBlock(12).map((block) => `blk.${block}.attn_output.bias`),
};

/** Permuted queries and keys are multiplied in another order, so that the last bits of their products differ. */
const REORDERED = ["qwen2"];

test.each(DECI_SOURCES)("a %s model written as deci computes what it did", async (fixture) => {
  const folder = temporaryFolder();
  const path = join(folder, "source.gguf");
  await writeFile(path, buildFixture(fixture, {}, FOREIGN[fixture]));
  const output = await asDeci(path, folder);
  const [source, deci] = [await logits(path), await logits(output)];
  if (REORDERED.includes(fixture)) expect(normalisedError(source, deci)).toBeLessThan(1e-11);
  else expect(deci).toEqual(source);
});

test("the example written as deci computes the same bits", async () => {
  const folder = temporaryFolder();
  expect(await logits(await asDeci(EXAMPLE_MODEL, folder))).toEqual(await logits(EXAMPLE_MODEL));
});

test.each([
  ["gemma2", /only .*llama.* models/],
  ["llama-moe", /ffn_down_exps/],
  ["qwen2", /output\.bias/],
])("a %s model is refused by name", async (fixture, reason) => {
  const path = join(temporaryFolder(), "source.gguf");
  await writeFile(path, buildFixture(fixture));
  expect(deciRefusal(await readGguf(path))).toMatch(reason);
});

async function asDeci(path: string, folder: string): Promise<string> {
  const file = await readGguf(path);
  expect(deciRefusal(file)).toBeUndefined();
  const { blockCount } = describeArchitecture(file);
  const output = join(folder, "deci.gguf");
  const rewrite = planDeciRewrite(file, everyBlock(blockCount), []);
  await applyPlan({ model: file, rewrite, provenance: new Map(), output });
  expect(describeArchitecture(await readGguf(output)).name).toBe("deci");
  return output;
}

async function logits(path: string): Promise<Float32Array> {
  const { states } = describeArchitecture(await readGguf(path));
  const model = await openModel(path, { gpu: "off", threads: 1 });
  const session = model.openSession({ sequenceLength: TOKENS, states });
  const random = randomNumbers(3);
  const { vocabularySize } = model.info;
  try {
    return await session.logits(
      Int32Array.from({ length: TOKENS }, () => Math.floor(random() * vocabularySize)),
    );
  } finally {
    session.close();
    model.close();
  }
}

function normalisedError(a: Float32Array, b: Float32Array): number {
  const squared = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0);
  return squared(a.map((x, i) => x - b[i]!)) / squared(a);
}
