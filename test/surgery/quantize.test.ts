import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { apply } from "../../src/api/apply.ts";
import { describeModel } from "../../src/api/stages/describe.ts";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { AbortedError } from "../../src/errors.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";
import { quantizationType } from "../../src/model/quantize.ts";
import { openRuntime } from "../../src/model/runtime.ts";
import { parseLayers } from "../../src/selection/budget.ts";
import { explicitPlan } from "../../src/selection/plan.ts";
import { quantizeGguf } from "../../src/surgery/quantize.ts";
import { buildFixture, fixtureMetadata, fixtureTensors } from "../support/architectures.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { buildGguf, f32 } from "../support/gguf.ts";
import { writeScaledExample } from "../support/scaled.ts";

const folder = temporaryFolder();
const input = join(folder, "llama.gguf");
const options = { gpu: "off", threads: 1 } as const;

async function logits(path: string): Promise<Float32Array> {
  const { states } = describeArchitecture(await readGguf(path));
  const model = await openModel(path, options);
  const session = model.openSession({ sequenceLength: 32, states });
  try {
    return await session.logits(Int32Array.from({ length: 32 }, (_, i) => (i * 37) % 96));
  } finally {
    session.close();
    model.close();
  }
}

describe("quantizeGguf", () => {
  beforeAll(() => writeFileSync(input, buildFixture("llama")));

  test("writes a model of the asked type that computes nearly the same", async () => {
    const output = join(folder, "llama-q8_0.gguf");
    const progress: number[] = [];
    const bytes = await quantizeGguf(input, output, "q8_0", {
      ...options,
      onProgress: (p) => progress.push(p),
    });
    const file = await readGguf(output);
    expect(file.sizes).toEqual([bytes]);
    expect(file.metadata.get("general.file_type")?.decode().value).toBe(7);
    const types = new Map(file.tensors.map(({ name, typeName }) => [name, typeName]));
    expect(types.get("blk.3.ffn_up.weight")).toBe("Q8_0");
    expect(types.get("blk.3.attn_norm.weight")).toBe("F32");
    expect(progress.every((fraction) => fraction >= 0 && fraction <= 1)).toBe(true);

    const [expected, actual] = [await logits(input), await logits(output)];
    const error = expected.reduce((sum, value, i) => sum + (value - actual[i]!) ** 2, 0);
    const size = expected.reduce((sum, value) => sum + value ** 2, 0);
    expect(error / size).toBeGreaterThan(0);
    expect(error / size).toBeLessThan(1e-3);
  });

  test("refuses to quantise twice unless told to", async () => {
    const once = join(folder, "once.gguf");
    const twice = join(folder, "twice.gguf");
    await quantizeGguf(input, once, "Q8_0", options);
    await expect(quantizeGguf(once, twice, "Q4_0", options)).rejects.toMatchObject({
      code: "QUANTIZE_AGAIN",
    });
    expect(readdirSync(folder)).not.toContain("twice.gguf");
    await quantizeGguf(once, twice, "Q4_0", { ...options, allowRequantize: true });
    expect((await readGguf(twice)).metadata.get("general.file_type")?.decode().value).toBe(2);
  });

  test("leaves nothing behind when it fails or is stopped, and overwrites nothing", async () => {
    const before = readdirSync(folder).sort();
    const broken = join(folder, "other.gguf");
    const signal = AbortSignal.abort();
    await expect(quantizeGguf(input, broken, "Q8_0", { ...options, signal })).rejects.toBeInstanceOf(
      AbortedError,
    );
    await expect(quantizeGguf(input, input, "Q8_0", { ...options, force: true })).rejects.toMatchObject({
      code: "OUTPUT_IS_INPUT",
    });
    await expect(quantizeGguf(input, join(folder, "once.gguf"), "Q8_0", options)).rejects.toMatchObject({
      code: "OUTPUT_EXISTS",
    });
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  test.skipIf(process.platform === "win32")("says why it cannot be written", async () => {
    const output = join(folder, "large.gguf");
    const script = `
      import { quantizeGguf } from ${JSON.stringify(new URL("../../dist/surgery/quantize.js", import.meta.url))};
      const options = { gpu: "off", threads: 1, allowRequantize: true };
      const work = quantizeGguf(${JSON.stringify(EXAMPLE_MODEL)}, ${JSON.stringify(output)}, "F32", options);
      await work.catch((error) => console.log(error.code, error.message));`;
    const limited = 'ulimit -f 20000; exec "$0" --input-type=module -e "$1"';
    const { stdout } = await promisify(execFile)("bash", ["-c", limited, process.execPath, script]);
    expect(stdout).toMatch(/^OUTPUT_TOO_LARGE .*large\.gguf would be larger than a file may be there;/);
    expect(readdirSync(folder).filter((name) => name.includes("large"))).toEqual([]);
  });

  describe("of values that are far too large", () => {
    const large = join(folder, "f32.gguf");
    const target = join(folder, "never.gguf");
    beforeAll(async () => {
      await quantizeGguf(EXAMPLE_MODEL, large, "F32", { ...options, allowRequantize: true });
      const { tensors } = await readGguf(large);
      const { fileOffset } = tensors.find(({ name }) => name === "blk.7.ffn_down.weight")!;
      const bytes = readFileSync(large);
      bytes.writeFloatLE(-1e38, fileOffset + 4096);
      writeFileSync(large, bytes);
    });

    // llama.cpp ends its process, or writes zeros.
    test.each(["IQ3_S", "IQ4_XS"])("is refused by the tensor: %s", async (type) => {
      const known = { path: "own.gguf", tensor: (name: string) => name.replace("blk.7.", "blk.9.") };
      await expect(quantizeGguf(large, target, type, { ...options, known })).rejects.toMatchObject({
        code: "QUANTIZE_FAILED",
        message: expect.stringMatching(
          /own\.gguf to \w+: the values of 'blk\.9\.ffn_down\.weight' go up to 1\.00e\+38, and/,
        ),
      });
      expect(readdirSync(folder)).not.toContain("never.gguf");
    });

    test("is done to a type that holds them", async () => {
      await quantizeGguf(large, target, "BF16", options);
      rmSync(target);
    });

    test("is refused of quantised values too", async () => {
      const path = await writeScaledExample(join(folder, "scaled.gguf"), { "blk.7.ffn_down.weight": 1e7 });
      const quantized = quantizeGguf(path, target, "Q6_K", { ...options, allowRequantize: true });
      await expect(quantized).rejects.toThrow(/'blk\.7\.ffn_down\.weight' go up to \d\.\d+e\+6/);
    });

    test("is refused by llama.cpp with the tensor's name, where it notices", async () => {
      const runtime = await openRuntime("off");
      const asked = {
        type: 2,
        threads: 2,
        allowRequantize: false,
        importance: [],
        tensorTypes: [],
        metadata: [],
      };
      await expect(runtime.call("own.gguf", "quantizeFile", [large, target, asked])).rejects.toThrow(
        "validation failed at the tensor 'blk.7.ffn_down.weight'",
      );
      rmSync(target);
    });
  });

  test("says of what llama.cpp cannot read which tensor that is", async () => {
    const unknown = join(folder, "unknown.gguf");
    const bytes = Buffer.from(buildFixture("llama"));
    const name = "blk.3.ffn_up.weight";
    // Behind the name: how many dimensions, the dimensions, the type.
    bytes.writeUInt32LE(99, bytes.indexOf(name) + name.length + 4 + 2 * 8);
    writeFileSync(unknown, bytes);
    const known = { path: "own.gguf", tensor: (name: string) => name.replace("blk.3.", "blk.4.") };
    const quantized = quantizeGguf(unknown, join(folder, "no.gguf"), "Q8_0", { ...options, known });
    await expect(quantized).rejects.toMatchObject({
      code: "QUANTIZE_FAILED",
      message: expect.stringMatching(
        /^llama.cpp cannot quantise own.gguf to Q8_0: tensor 'blk.4.ffn_up.weight' .* 99/,
      ),
    });
  });

  test("refuses by its key what llama.cpp would end its process for", async () => {
    const path = join(folder, "epsilon.gguf");
    const key = "llama.attention.layer_norm_rms_epsilon";
    const metadata = { ...fixtureMetadata("llama"), [key]: f32(Number.NaN) };
    writeFileSync(path, buildGguf({ metadata, tensors: fixtureTensors("llama") }));
    const { summary } = await describeModel(path);
    const plan = explicitPlan(summary, parseLayers("3"));
    await expect(
      apply(path, plan, { quantize: "Q8_0", output: join(folder, "no.gguf") }),
    ).rejects.toMatchObject({
      code: "ARCHITECTURE_METADATA",
      message: expect.stringContaining(`${key} is NaN`),
    });
  });

  test("knows llama-quantize's names, and says which there are", () => {
    expect(quantizationType("q4_k", false)).toBe("Q4_K_M");
    expect(quantizationType("iq4_xs", false)).toBe("IQ4_XS");
    expect(() => quantizationType("IQ1_S", false)).toThrow(/choose one of F32, F16/);
  });
});
