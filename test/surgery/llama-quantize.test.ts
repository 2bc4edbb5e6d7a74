import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { apply } from "../../src/api/apply.ts";
import { plan as planFrom } from "../../src/api/plan.ts";
import { describeModel } from "../../src/api/stages/describe.ts";
import { planQuantization } from "../../src/api/stages/quantization.ts";
import type { Plan } from "../../src/documents/plan.ts";
import { SCHEMA_VERSION } from "../../src/documents/schema-version.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { quantizeGguf } from "../../src/surgery/quantize.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { countedOf, ggufImatrix, legacyImatrix } from "../support/imatrix.ts";
import { llamaQuantize } from "../support/llama-quantize.ts";

const folder = temporaryFolder();
const place = (name: string) => join(folder, name);
const options = { gpu: "off", threads: 1, allowRequantize: true } as const;
const model = place("model.gguf");
const reference = llamaQuantize();

describe.runIf(reference)("a file quantised by lorp and by llama-quantize", () => {
  const imatrix = { gguf: place("imatrix.gguf"), legacy: place("imatrix.dat") };

  // A few of the example's blocks, since the types that need an importance matrix take long.
  beforeAll(async () => {
    await apply(EXAMPLE_MODEL, await planOf(EXAMPLE_MODEL, "4-17"), { output: model });
    const counted = countedOf(await readGguf(model));
    // llama.cpp takes 127 bytes of it.
    writeFileSync(imatrix.gguf, ggufImatrix(counted, [`a${"é".repeat(80)}`]));
    writeFileSync(imatrix.legacy, legacyImatrix(counted));
  });

  test.each([
    ["Q4_K_M", {}],
    ["Q4_K_M", { imatrix: imatrix.gguf }],
    ["Q2_K_S", { imatrix: imatrix.legacy }],
    [
      "Q3_K_M",
      { imatrix: imatrix.legacy, tensorType: ["ffn_(up|gate)=IQ3_XXS", "blk\\.1\\..*=q6_k", "attn_v=q8_0"] },
    ],
  ])("has the same bytes: %s, %j", async (type, given) => {
    const described = await describeModel(model);
    const planned = await planQuantization(described, { ...options, quantize: type, ...given });
    const own = place("own.gguf");
    await quantizeGguf(model, own, type, { ...options, ...planned, force: true });
    const theirs = place("theirs.gguf");
    reference?.([...flags(given), "--allow-requantize", model, theirs, type]);
    expect(readFileSync(own).equals(readFileSync(theirs))).toBe(true);
  });

  test("has the same weights where blocks were cut out of both", async () => {
    const plan = await planOf(model, "1,3");
    const own = place("own-cut.gguf");
    const theirs = place("theirs-cut.gguf");
    await apply(model, plan, { ...options, output: own, quantize: "Q2_K_S", imatrix: imatrix.gguf });
    reference?.([
      ...["--prune-layers", "1,3", ...flags({ imatrix: imatrix.gguf }), "--allow-requantize"],
      ...[model, theirs, "Q2_K_S"],
    ]);
    expect(await weights(own)).toEqual(await weights(theirs));
    const { metadata } = await readGguf(own);
    expect(metadata.get("quantize.imatrix.entries_count")?.decode().value).toBe(4 * 7);
  });
});

async function planOf(path: string, layers: string): Promise<Plan> {
  const { summary } = await describeModel(path);
  return planFrom({ schemaVersion: SCHEMA_VERSION, model: summary, similarity: [] }, { layers });
}

function flags({ imatrix, tensorType = [] }: { imatrix?: string; tensorType?: readonly string[] }): string[] {
  return [
    ...(imatrix ? ["--imatrix", imatrix] : []),
    ...tensorType.flatMap((rule) => ["--tensor-type", rule]),
  ];
}

/** The bytes of a file's tensors, by name. */
async function weights(path: string): Promise<Record<string, string>> {
  const bytes = readFileSync(path);
  const { tensors } = await readGguf(path);
  return Object.fromEntries(
    tensors.map(({ name, typeName, fileOffset, byteLength }) => [
      name,
      `${typeName} ${bytes.toString("latin1", fileOffset, fileOffset + byteLength)}`,
    ]),
  );
}
