import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { describeArchitecture, planRewrite } from "../../src/architecture/architecture.ts";
import { ArchitectureError } from "../../src/architecture/errors.ts";
import { ARCHITECTURES } from "../../src/architecture/table.ts";
import type { Architecture } from "../../src/architecture/types.ts";
import { tensorScaler } from "../../src/compensation/scale-tensor.ts";
import { storeFactors } from "../../src/compensation/store.ts";
import type { BlockFactors } from "../../src/documents/compensation.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufFile, TensorInfo } from "../../src/gguf/types.ts";
import { openModel } from "../../src/model/model.ts";
import { applyPlan } from "../../src/surgery/apply.ts";
import type { Changes } from "../../src/surgery/layout.ts";
import { architectureOf, buildFixture, FIXTURE_NAMES } from "../support/architectures.ts";
import { temporaryFolder } from "../support/folder.ts";
import { randomNumbers } from "../support/gguf.ts";

const TOKENS = 48;

/**
 * Keys and values are rounded to f16, so that any change of the last bits shows; a factor in the wrong place shows as
 * 1e-3 and more. Some tokens hit a discrete choice (experts, sparse attention) that rounding decides: medians do not.
 */
const TOLERANCE = 1e-5;

/** Deepstack embeddings are added to blocks between those that may go. */
const NOT_SUMS = ["granite"];

const fixtures = FIXTURE_NAMES.filter(
  (fixture) => ARCHITECTURES.get(architectureOf(fixture))?.stream && !NOT_SUMS.includes(fixture),
);

test("every rule has a model to be tried on", () => {
  const covered = new Set(fixtures.map(architectureOf));
  expect(
    [...ARCHITECTURES].flatMap(([name, { stream }]) => (stream && !covered.has(name) ? [name] : [])),
  ).toEqual([]);
});

describe.each(fixtures)("%s", (fixture) => {
  const rule = ARCHITECTURES.get(architectureOf(fixture))!.stream!;
  const folder = temporaryFolder();
  let opened: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    opened = await open(fixture, folder);
  });

  test("the stored factors do what the same factors do while the original runs", async () => {
    if (!opened) return;
    const { path, file, architecture } = opened;
    const addsOnce = rule.addsOnce?.(file) ?? false;
    const random = randomNumbers(5);
    const fixed = new Set(architecture.constraints.fixed.map(({ layer }) => layer));
    const free = Array.from({ length: architecture.analysedBlocks }, (_, layer) => layer).find(
      (layer) => !fixed.has(layer),
    )!;
    const factors: BlockFactors[] = [];
    for (let layer = free + 1; layer < architecture.analysedBlocks; layer++) {
      const attention = 0.6 + random();
      factors.push({ layer, attention, feedForward: addsOnce ? attention : 0.6 + random() });
    }
    const whole = await logits(path, architecture, [], addsOnce);
    const virtual = await logits(path, architecture, factors, addsOnce);
    const changes = await storeFactors(file, architecture.name, factors);
    const stored = await write(file, architecture, changes, join(path, "../stored.gguf"));
    const compensated = await logits(stored, architecture, [], addsOnce);
    expect(medianError(virtual, compensated)).toBeLessThan(TOLERANCE);
    expect(medianError(whole, compensated)).toBeGreaterThan(1e-4);
    await rm(stored);
  });

  test.runIf(rule.readsScales)("llama.cpp reads .scale tensors as it reads scaled weights", async () => {
    const { path, file, architecture } = opened!;
    const random = randomNumbers(6);
    const factors = Array.from({ length: architecture.analysedBlocks - 1 }, (_, layer) => ({
      layer: layer + 1,
      attention: 0.6 + random(),
      feedForward: 0.6 + random(),
    }));
    // The tensors without scales of their own stand for types that have none fine enough.
    const mxfp4 = 39;
    const unscalable = (tensor: TensorInfo) =>
      /(attn_output|ssm_out|ffn_down\w*)\.weight$/.test(tensor.name) ? { ...tensor, type: mxfp4 } : tensor;
    const { transforms, added } = await storeFactors(
      { ...file, tensors: file.tensors.map(unscalable) },
      architecture.name,
      factors,
      { scaleTensors: true },
    );
    expect(added.length).toBeGreaterThanOrEqual(2 * factors.length);
    const scaled = await write(file, architecture, { transforms, added }, join(path, "../scaled.gguf"));
    const error = medianError(
      await logits(path, architecture, factors, false),
      await logits(scaled, architecture, [], false),
    );
    expect(error).toBeLessThan(TOLERANCE);
  });

  test("a longer stream is the same as smaller outputs, unless the rule says otherwise", async () => {
    if (!opened) return;
    const { path, file, architecture } = opened;
    const factor = 3;
    const all = Array.from({ length: architecture.analysedBlocks }, (_, layer) => ({
      layer,
      attention: factor,
      feedForward: factor,
    }));
    const changes = await storeFactors(file, architecture.name, all);
    // lfm2's tensor of that name is the final norm.
    const norm = hasTensor(file, "token_embd_norm.weight") && !architecture.name.startsWith("lfm2");
    const start = norm
      ? ["token_embd_norm.weight", "token_embd_norm.bias"]
      : ["token_embd.weight", "position_embd.weight"];
    const embeddings = file.tensors
      .filter(({ name }) => start.includes(name))
      .map(({ name, type }) => {
        const scale = tensorScaler(type, factor);
        const apply = (units: Uint8Array) => {
          scale(units);
          return units;
        };
        return [name, { unit: 4, apply }] as const;
      });
    const transforms = new Map([...changes.transforms, ...embeddings]);
    const longer = await write(file, architecture, { ...changes, transforms }, join(path, "../longer.gguf"));
    const addsOnce = rule.addsOnce?.(file) ?? false;
    const error = medianAngle(
      await logits(path, architecture, [], addsOnce),
      await logits(longer, architecture, [], addsOnce),
    );
    if (rule.readsUnnormalised) expect(error).toBeGreaterThan(0.01);
    else expect(error).toBeLessThan(0.003);
    await rm(longer);
  });
});

const hasTensor = (file: GgufFile, name: string) => file.tensors.some((tensor) => tensor.name === name);

/** The fixture's model, or undefined when none of its blocks may be removed. */
async function open(fixture: string, folder: string) {
  const path = join(folder, `${fixture}.gguf`);
  await writeFile(path, buildFixture(fixture));
  const file = await readGguf(path);
  try {
    return { path, file, architecture: describeArchitecture(file) };
  } catch (error) {
    if (error instanceof ArchitectureError) return undefined;
    throw error;
  }
}

async function write(file: GgufFile, { blockCount }: Architecture, changes: Changes, output: string) {
  const kept = Array.from({ length: blockCount }, (_, layer) => layer);
  const rewrite = planRewrite(file, kept);
  await applyPlan({ model: file, rewrite, provenance: new Map(), output, changes });
  return output;
}

async function logits(
  path: string,
  { states }: Architecture,
  factors: readonly BlockFactors[],
  parallelBlocks: boolean,
): Promise<Float32Array[]> {
  const model = await openModel(path, { gpu: "off", threads: 1 });
  const session = model.openSession({ sequenceLength: TOKENS, states, parallelBlocks });
  const random = randomNumbers(3);
  const { vocabularySize } = model.info;
  const tokens = Int32Array.from({ length: TOKENS }, () => Math.floor(random() * vocabularySize));
  try {
    const all = await session.logits(tokens, [], factors);
    return Array.from({ length: TOKENS }, (_, token) =>
      // Logits that stand for "impossible" (chameleon's image tokens) are left out.
      all.subarray(token * vocabularySize, (token + 1) * vocabularySize).filter((x) => Math.abs(x) < 1e30),
    );
  } finally {
    session.close();
    model.close();
  }
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Of the tokens' normalised squared errors. */
function medianError(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  return median(
    a.map((row, token) => {
      const difference = row.map((x, i) => x - b[token]![i]!);
      return dot(difference, difference) / dot(row, row);
    }),
  );
}

/** Of the tokens' 1 − cos²: how far two rows are from being multiples of each other. */
function medianAngle(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  return median(
    a.map((row, token) => 1 - dot(row, b[token]!) ** 2 / (dot(row, row) * dot(b[token]!, b[token]!))),
  );
}
