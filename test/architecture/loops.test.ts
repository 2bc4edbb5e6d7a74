import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { apply } from "../../src/api/apply.ts";
import { describeArchitecture, planRewrite } from "../../src/architecture/architecture.ts";
import { checkBlockCount } from "../../src/architecture/preconditions.ts";
import { diffModels } from "../../src/diff/diff.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufValue } from "../../src/gguf/types.ts";
import { checkImatrix } from "../../src/imatrix/fit.ts";
import type { ImportanceMatrix } from "../../src/imatrix/types.ts";
import { measureBlocks } from "../../src/inspection/blocks.ts";
import { cacheWidth, cacheWidths } from "../../src/model/cache-width.ts";
import { fittingGpuLayers } from "../../src/model/gpu-layers.ts";
import { openModel } from "../../src/model/model.ts";
import { openRuntime } from "../../src/model/runtime.ts";
import { KINDS } from "../../src/repair/places.ts";
import { explicitPlan } from "../../src/selection/plan.ts";
import { buildFixture, fixtureTensors } from "../support/architectures.ts";
import { temporaryFolder } from "../support/folder.ts";
import { f32, i32, str, u32 } from "../support/gguf.ts";
import { inputsOfRuns } from "../support/looped.ts";

/** Models that run their layers in several loops. */

const folder = temporaryFolder();

async function read(
  fixture: string,
  metadata: Record<string, GgufValue> = {},
  without: readonly string[] = [],
) {
  const path = join(folder, `${fixture}.gguf`);
  await writeFile(path, buildFixture(fixture, metadata, without));
  return readGguf(path);
}

describe.each([
  ["nanbeige-looped", 2],
  ["nanbeige-unnormed", 3],
  ["hrm_text", 6],
])("%s", (fixture, loops) => {
  beforeAll(async () => {
    await openRuntime("off");
  });

  test("the similarity of two layers' inputs is the mean of all loops, and tokens", async () => {
    const file = await read(fixture, {}, ["rope_freqs.weight"]);
    const { states, analysedBlocks: layers } = describeArchitecture(file);
    expect(states.loops).toBe(loops);
    const tokens = Int32Array.from({ length: 20 }, (_, token) => (token * 37) % 96);
    const inputs = inputsOfRuns(file, tokens);
    expect(inputs).toHaveLength(loops * layers);

    const model = await openModel(file.paths[0]!, { gpu: "off", threads: 1 });
    expect(model.info.layers).toBe(loops * layers);
    // Two micro-batches, so that what enters a loop is not told by its size.
    const session = model.openSession({
      sequenceLength: tokens.length,
      states,
      exactAttention: true,
      microBatch: 12,
    });
    const sums = await session.sumCosines(tokens);
    const norms = await session.stateNorms(tokens);
    session.close();
    model.close();

    for (const [run, state] of inputs.entries()) {
      for (const [token, row] of state.entries()) {
        expect(norms[run * tokens.length + token]! / Math.hypot(...row)).toBeCloseTo(1, 4);
      }
    }
    for (let i = 0; i < layers; i++) {
      for (let j = i + 1; j < layers; j++) {
        const cosines = Array.from({ length: loops }, (_, loop) => {
          const [a, b] = [inputs[loop * layers + i]!, inputs[loop * layers + j]!];
          return a.map((row, token) => cosine(row, b[token]!));
        }).flat();
        const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
        expect(sums[i * layers + j]! / tokens.length).toBeCloseTo(mean, 5);
      }
    }
  });
});

describe("a layer of two stacks has a block of tensors in each", () => {
  test("which go together, with what counts them", async () => {
    const { set, renameTensor } = planRewrite(await read("hrm_text"), [0, 2, 3, 4, 5]);
    expect(Object.fromEntries(set)).toMatchObject({
      "hrm_text.block_count": u32(5 * 6),
      "hrm_text.hrm.layers_per_stack": u32(5),
      "hrm_text.attention.head_count_kv": { value: new Array(5 * 6).fill(2) },
    });
    expect(["blk.0.w", "blk.1.w", "blk.2.w", "blk.5.w"].map(renameTensor)).toEqual([
      "blk.0.w",
      null,
      "blk.1.w",
      "blk.4.w",
    ]);
    expect(["blk.6.w", "blk.7.w", "blk.8.w", "blk.11.w", "blk.12.w"].map(renameTensor)).toEqual([
      "blk.5.w",
      null,
      "blk.6.w",
      "blk.9.w",
      null,
    ]);
  });

  test("is counted as often as it is run, and has a cache each time", async () => {
    const file = await read("hrm_text");
    const { blocks, rest } = measureBlocks(file);
    const matrices = 3 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 96;
    expect(blocks).toHaveLength(6);
    for (const { parameters, activeParameters } of blocks) {
      expect(parameters).toBe(2 * matrices);
      // Two high cycles of two low ones each.
      expect(activeParameters).toBe((2 * 2 + 2) * matrices);
    }
    expect(rest.parameters).toBe(2 * 64 * 96 + 64);
    expect(cacheWidth(file)).toBe(36 * 2 * 32);
    expect(cacheWidths(file)).toHaveLength(6);
    expect(fittingGpuLayers(file, Number.POSITIVE_INFINITY)).toBe(36 + 1);
  });

  test("is one layer when models are compared", async () => {
    const file = await read("hrm_text");
    const output = join(folder, "cut.gguf");
    await apply(file.paths[0]!, explicitPlan({ architecture: "hrm_text", blockCount: 6 }, [1, 4]), {
      output,
    });
    const again = join(folder, "again.gguf");
    await apply(output, explicitPlan({ architecture: "hrm_text", blockCount: 4 }, [0]), { output: again });
    const blocksLost = async (path: string) => {
      const { tensors } = await diffModels(file, await readGguf(path));
      expect([tensors.changed, tensors.onlyInSecond]).toEqual([[], []]);
      return new Set(tensors.onlyInFirst.map((name) => name.split(".")[1]));
    };
    expect(await blocksLost(output)).toEqual(new Set(["1", "4", "7", "10"]));
    expect(await blocksLost(again)).toEqual(new Set(["0", "1", "4", "6", "7", "10"]));
    const found = await diffModels(file, await readGguf(output));
    expect(found.blocks).toBe(6);
  });

  test("must all be in an importance matrix", async () => {
    const file = await read("hrm_text");
    const matrices = file.tensors.filter(({ shape, name }) => shape.length > 1 && name.startsWith("blk."));
    const values = new Map(matrices.map(({ name, shape }) => [name, new Float32Array(shape[0]!)]));
    const matrix = { path: "m.imatrix", values } as unknown as ImportanceMatrix;
    expect(() => checkImatrix(matrix, file, 6)).not.toThrow();
    for (const name of values.keys()) if (name.startsWith("blk.8.")) values.delete(name);
    expect(() => checkImatrix(matrix, file, 6)).toThrow("it has nothing of layer 2");
  });

  test("must be there", async () => {
    const of = (block: number) =>
      fixtureTensors("hrm_text").flatMap(({ name }) => (name.startsWith(`blk.${block}.`) ? [name] : []));
    const lacking = await read("hrm_text", {}, of(8));
    expect(() => checkBlockCount(lacking)).toThrow(
      "says that it has 6 layers, but has no tensors of layer 2;",
    );
    const fewer = {
      "hrm_text.block_count": u32(30),
      "hrm_text.hrm.layers_per_stack": u32(5),
    };
    const more = await read("hrm_text", fewer);
    expect(() => checkBlockCount(more)).toThrow("has tensors of layers 10, 11");
  });
});

test.each<[fixture: string, metadata: Record<string, GgufValue>, message: RegExp]>([
  ["nanbeige-looped", { "nanbeige.num_loops": u32(0) }, /nanbeige.num_loops is 0,/],
  ["nanbeige-looped", { "nanbeige.num_loops": i32(-2) }, /nanbeige.num_loops is -2,/],
  ["nanbeige-looped", { "nanbeige.num_loops": f32(1.5) }, /nanbeige.num_loops is 1.5,/],
  ["nanbeige-looped", { "nanbeige.num_loops": f32(Number.NaN) }, /nanbeige.num_loops is NaN,/],
  ["nanbeige-looped", { "nanbeige.num_loops": u32(43) }, /more than 512 runs of layers/],
  ["nanbeige-looped", { "nanbeige.num_loops": u32(2 ** 32 - 1) }, /more than 512 runs of layers/],
  [
    "hrm_text",
    { "hrm_text.hrm.layers_per_stack": u32(7) },
    /block_count is 36, hrm_text.hrm.layers_per_stack is 7/,
  ],
  ["hrm_text", { "hrm_text.hrm.layers_per_stack": u32(0) }, /layers_per_stack is 0/],
  ["hrm_text", { "hrm_text.hrm.h_cycles": u32(0) }, /h_cycles is 0/],
  ["hrm_text", { "hrm_text.hrm.l_cycles": u32(0), "hrm_text.hrm.h_cycles": u32(6) }, /l_cycles is 0/],
  ["hrm_text", { "hrm_text.hrm.l_cycles": u32(3) }, /l_cycles is 3/],
  ["hrm_text", { "hrm_text.hrm.l_cycles": str("two") }, /l_cycles is missing/],
  ["hrm_text", { "hrm_text.block_count": u32(35) }, /block_count is 35/],
  ["hrm_text", { "hrm_text.nextn_predict_layers": u32(8) }, /nextn_predict_layers is 8/],
  ["nanbeige-looped", { "nanbeige.nextn_predict_layers": u32(1) }, /nextn_predict_layers is 1/],
])("%s with %j is refused", async (fixture, metadata, message) => {
  const file = await read(fixture, metadata);
  expect(() => describeArchitecture(file)).toThrow(
    expect.objectContaining({
      code: "ARCHITECTURE_METADATA",
      message: expect.stringMatching(message),
    }),
  );
});

test("what is fitted to one run of a layer would change the others", async () => {
  const file = await read("nanbeige-looped");
  const architecture = describeArchitecture(file);
  expect(KINDS.refit.refusal({ file, architecture }, { before: 0, last: 1 })).toMatch(/several times over/);
  const once = await read("nanbeige-looped", { "nanbeige.num_loops": u32(1) });
  expect(
    KINDS.refit.refusal({ file: once, architecture: describeArchitecture(once) }, { before: 0, last: 1 }),
  ).toBeUndefined();
});

function cosine(a: Float64Array, b: Float64Array): number {
  const product = a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  return product / Math.hypot(...a) / Math.hypot(...b);
}
