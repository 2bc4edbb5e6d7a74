import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { describeModel } from "../../src/api/stages/describe.ts";
import { apply, compare, evaluate, type Plan, plan } from "../../src/index.ts";
import { quantizeFile } from "../../src/model/quantize.ts";
import { quantizeGguf } from "../../src/surgery/quantize.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const quick = { gpu: "off", threads: 1, sequences: 2, sequenceLength: 48 } as const;
const prose = readFileSync(new URL("../../calibration/default.txt", import.meta.url), "utf8");

describe("types of quantisation beside removals", () => {
  let comparison: Awaited<ReturnType<typeof compare>>;
  const original = at("f16.gguf");
  const text = at("some.txt");
  const asked = { ...quick, remove: [2], methods: ["last"], text: [text], textSequences: 1 };
  const said: string[] = [];

  beforeAll(async () => {
    await quantizeFile(EXAMPLE_MODEL, original, "F16", { allowRequantize: true });
    writeFileSync(text, prose.slice(0, 2000));
    const types = ["q4_0", "Q4_0", "F32"];
    comparison = await compare(original, { ...asked, types, onNotice: (notice) => said.push(notice) });
  }, 120_000);

  test("every variant once, smaller types only, and nothing left behind", () => {
    const { variants, candidates } = comparison;
    const sets = [...new Set(candidates.map(({ removedLayers }) => removedLayers.join()))];
    expect(variants!.map(({ type, removedLayers }) => [type, removedLayers.join()])).toEqual([
      ...["", ...sets].map((layers) => [null, layers]),
      ...["", ...sets].map((layers) => ["Q4_0", layers]),
    ]);
    expect(said.join()).toContain("F32 makes the file no smaller");
    expect(readdirSync(folder).sort()).toEqual(["f16.gguf", "some.txt"]);
  });

  test("what they take and lose is what the written files take and lose", async () => {
    const quantized = at("q4_0.gguf");
    await quantizeGguf(original, quantized, "Q4_0");
    const { variants } = comparison;
    const [whole, cut] = variants!.filter(({ type }) => type === "Q4_0");
    expect(whole!.bytes).toBe(statSync(quantized).size);
    const { summary } = await describeModel(quantized);
    const layers = cut!.removedLayers;
    const removal: Plan = plan({ schemaVersion: 1, model: summary, similarity: [] }, { layers });
    await apply(quantized, removal, { output: at("cut.gguf") });
    expect(cut!.bytes).toBe(statSync(at("cut.gguf")).size);

    const settings = {
      gpu: "off",
      threads: 1,
      sequenceLength: 48,
      sequences: 1,
      text: [text],
      samples: false,
    } as const;
    for (const [variant, file] of [
      [whole, quantized],
      [cut, at("cut.gguf")],
    ] as const) {
      const { texts } = await evaluate(file, { ...settings, against: original });
      expect(variant!.measures[1]!.klDivergence).toBeCloseTo(texts[0]!.base!.klDivergence.mean, 6);
      expect(variant!.measures[1]!.perplexity).toBeCloseTo(texts[0]!.perplexity, 4);
    }
  });

  test("a layer's share of the cache goes with it", () => {
    const [whole, cut] = comparison.variants!;
    // 2 layers of 20; keys and values of n_embd 256 in F16.
    const { head_count: heads, head_count_kv: shared } = { head_count: 8, head_count_kv: 4 };
    expect(whole!.cacheBytes).toBe(20 * 2 * 256 * (shared / heads) * 2);
    expect(cut!.cacheBytes).toBe((18 / 20) * whole!.cacheBytes);
  });

  test("of a quantised model no types are compared, and that is said", async () => {
    const { variants, typesLeftOut } = await compare(EXAMPLE_MODEL, { ...asked, types: ["Q4_0"] });
    expect(typesLeftOut).toContain("quantised already");
    expect(variants!.every(({ type }) => type === null)).toBe(true);
  });

  test.each([
    [{ types: ["Q9"] }, "QUANTIZE_TYPE"],
    [{ types: ["Q4_0"], divergence: false }, "OPTION_INVALID"],
    [{ imatrix: "some.imatrix" }, "OPTION_INVALID"],
  ])("refuses %j", async (wrong, code) => {
    await expect(compare(original, { ...asked, ...wrong })).rejects.toMatchObject({ code });
  });
});
