import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { analyze } from "../../src/api/analyze.ts";
import { apply } from "../../src/api/apply.ts";
import { diff } from "../../src/api/diff.ts";
import { evaluate } from "../../src/api/evaluate.ts";
import { prune } from "../../src/api/prune.ts";
import { describeModel } from "../../src/api/stages/describe.ts";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { loadCalibration } from "../../src/calibration/load.ts";
import { stringifyDocument } from "../../src/documents/stringify.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";
import { parseLayers } from "../../src/selection/budget.ts";
import { explicitPlan } from "../../src/selection/plan.ts";
import { sleb } from "../../src/selection/sleb.ts";
import { createTrials, meanLoss } from "../../src/selection/trials.ts";
import { UNCONSTRAINED } from "../../src/selection/types.ts";
import { fixtureMetadata, fixtureTensors } from "../support/architectures.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { buildGguf, u64 } from "../support/gguf.ts";
import { OVERFLOWS_WITHOUT_1_OR_2, writeScaledExample } from "../support/scaled.ts";

const folder = temporaryFolder();
const run = { gpu: "off", sequences: 2, sequenceLength: 64 } as const;

const scaled = (name: string, factors: Readonly<Record<string, number>>) =>
  writeScaledExample(join(folder, name), factors);

/** The beginning of lorp's own text. */
async function shortText(): Promise<string> {
  const path = join(folder, "short.txt");
  writeFileSync(path, (await loadCalibration(undefined)).text.slice(0, 24_000));
  return path;
}

const withNaN = (tensor: string) => scaled(`${tensor}.gguf`, { [tensor]: Number.NaN });

describe("a model that computes NaN", () => {
  let first: string;
  let last: string;
  let middle: string;
  beforeAll(async () => {
    first = await withNaN("token_embd.weight");
    last = await withNaN("blk.19.ffn_down.weight");
    middle = await withNaN("blk.7.ffn_down.weight");
  });

  test.each([
    ["analyze", () => analyze(middle, run), "from layer 7 on"],
    ["evaluate", () => evaluate(last, run), "in layer 19 or behind it"],
    ["evaluate", () => evaluate(first, run), "from its embeddings on"],
    [
      "prune by a search",
      () => prune(last, { ...run, remove: 2, method: "auto", dryRun: true }),
      "in layer 19 or behind it",
    ],
  ])("is told with the layer where it begins: %s", async (_, work, where) => {
    await expect(work()).rejects.toMatchObject({
      code: "RUNTIME_NAN",
      message: expect.stringContaining(where),
    });
  });

  test.each([
    ["from layer 7 on", () => middle, { layers: [5] }],
    // The analysis does not run the last block.
    ["in layer 19 or behind it", () => last, { remove: 2, method: "lorp" }],
  ])("is refused before anything is written: %s", async (where, model, choice) => {
    const output = join(folder, "never.gguf");
    await expect(prune(model(), { ...run, ...choice, output })).rejects.toMatchObject({
      code: "RUNTIME_NAN",
      message: expect.stringContaining(where),
    });
    expect(existsSync(output)).toBe(false);
  });

  test("as it goes on with a prompt, by its name", async () => {
    const { states } = describeArchitecture(await readGguf(last));
    const model = await openModel(last, { gpu: "off", threads: 1 });
    const generated = model
      .openSession({ sequenceLength: 16, states })
      .generate([Int32Array.of(300, 301)], 4, { skip: [3] });
    await expect(generated).rejects.toMatchObject({
      code: "RUNTIME_NAN",
      message: expect.stringMatching(/blk\.19.*\(NaN\) without the layers 3 as it goes on with a prompt/),
    });
    model.close();
  });

  test("as the base, or with layers left out, too", async () => {
    await expect(evaluate(EXAMPLE_MODEL, { ...run, against: last })).rejects.toMatchObject({
      code: "EVALUATION_NAN",
    });
    await expect(evaluate(middle, { ...run, skipLayers: "5" })).rejects.toMatchObject({
      code: expect.stringMatching(/_NAN$/),
    });
  });
});

test("a set without which the model's f16 values overflow leaves the sets after it their numbers", async () => {
  const path = await scaled("overflow.gguf", OVERFLOWS_WITHOUT_1_OR_2);
  const { plan } = await prune(path, {
    ...run,
    sequenceLength: 512,
    remove: 1,
    method: "sleb",
    dryRun: true,
    samples: false,
    calibration: await shortText(),
    // The time is foretold by a run of few tokens, which overflows by itself.
    onNotice: () => {},
  });
  expect(plan.removedLayers).not.toContain(1);
  expect(plan.removedLayers).not.toContain(2);
  expect(plan.measurements!.sets.length).toBeGreaterThan(10);
  for (const { loss } of plan.measurements!.sets) expect(loss).toBeLessThan(10);
});

test("no document holds a number that JSON has not", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => stringifyDocument({ perplexity: { original: [1, value] } })).toThrow(`cannot hold ${value}`);
  }
});

describe("a set of layers without which the model computes NaN", () => {
  const input = {
    similarity: Array.from({ length: 6 }, () => new Array<number>(6).fill(1)),
    clusters: [0, 0, 0, 0, 0, 0],
    k: 1,
    constraints: UNCONSTRAINED,
    seed: 0,
    clusterings: [],
    limits: { evaluations: undefined, seconds: undefined },
  };
  /** NaN without layer 1 or 2, in all tokens or in one; else the fewer the higher the layer. */
  const trialsOf = (broken: readonly number[]) =>
    createTrials(
      {
        objective: "perplexity",
        tokens: () => 3,
        isKnown: () => false,
        sequences: 4,
        atOnce: 2,
        losses: async (removed) => {
          const value = removed.some((layer) => broken.includes(layer)) ? Number.NaN : 9 - (removed[0] ?? 0);
          return Float64Array.of(1, value);
        },
      },
      6,
    );

  test("never wins", async () => {
    const trials = trialsOf([1, 4]);
    const { removals } = await sleb.select(input, 1, trials);
    expect(removals.map(({ layer }) => layer)).toEqual([3]);
    expect(trials.all.find(({ removed }) => removed[0] === 4)).toSatisfy(
      (trial) => meanLoss(trial) === Number.POSITIVE_INFINITY,
    );
  });

  test("is refused where there are no others", async () => {
    await expect(sleb.select(input, 1, trialsOf([1, 2, 3, 4]))).rejects.toMatchObject({
      code: "SELECTION_IMPOSSIBLE",
    });
  });
});

test("sides with micro-batches of different sizes score what they score with the same", async () => {
  const { states } = describeArchitecture(await readGguf(EXAMPLE_MODEL));
  const model = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
  const open = (microBatch: number) => model.openSession({ sequenceLength: 48, microBatch, states });
  const tokens = Int32Array.from({ length: 48 }, (_, i) => 300 + i);
  const [small, large] = [open(8), open(32)];
  const one = await large.score(tokens, { base: { session: small, skip: [3] } });
  const other = await small.score(tokens, { base: { session: large, skip: [3] } });
  expect(one).toEqual(other);
  model.close();
});

test("a sequence longer than the context is refused", async () => {
  await expect(evaluate(EXAMPLE_MODEL, { gpu: "off", sequenceLength: 1024 })).rejects.toMatchObject({
    code: "SEQUENCE_TOO_LONG",
    message: expect.stringContaining("Sequences of 1024 tokens are longer than the context"),
  });
});

describe("a model that is pruned twice", () => {
  const first = join(folder, "first.gguf");
  const second = join(folder, "second.gguf");
  const third = join(folder, "third.gguf");
  beforeAll(async () => {
    writeFileSync(
      first,
      buildGguf({
        metadata: { ...fixtureMetadata("llama"), "general.parameter_count": u64(1) },
        tensors: fixtureTensors("llama"),
      }),
    );
    const remove = async (from: string, to: string, layers: string) => {
      const { summary } = await describeModel(from);
      await apply(from, explicitPlan(summary, parseLayers(layers)), { output: to });
    };
    await remove(first, second, "3,7");
    await remove(second, third, "4");
  });

  test("differs from its ancestors in what was removed alone", async () => {
    for (const [a, b, gone] of [
      [first, second, [3, 7]],
      [second, third, [5]],
      [first, third, [3, 5, 7]],
    ] as const) {
      const { tensors, removed } = await diff(a, b);
      expect(tensors.changed).toEqual([]);
      expect(tensors.onlyInSecond).toEqual([]);
      expect(new Set(tensors.onlyInFirst.map((name) => Number(name.split(".")[1])))).toEqual(new Set(gone));
      expect(removed[1]).toEqual(expect.arrayContaining([...gone]));
    }
  });

  test("says how many parameters it has", async () => {
    const { metadata, tensors } = await readGguf(third);
    const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
    expect(metadata.get("general.parameter_count")?.decode()).toEqual({
      type: "uint64",
      value: BigInt(count),
    });
  });
});
