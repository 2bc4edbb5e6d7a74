import { execFile } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { AbortedError } from "../../src/errors.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";
import { quantizationType } from "../../src/model/quantize.ts";
import { quantizeGguf } from "../../src/surgery/quantize.ts";
import { buildFixture } from "../support/architectures.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

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

  test("knows llama-quantize's names, and says which there are", () => {
    expect(quantizationType("q4_k", false)).toBe("Q4_K_M");
    expect(quantizationType("iq4_xs", false)).toBe("IQ4_XS");
    expect(() => quantizationType("IQ1_S", false)).toThrow(/choose one of F32, F16/);
  });
});
