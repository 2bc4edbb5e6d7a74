import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { apply, plan, prune, type Report } from "../../src/index.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { logitsOf, normalisedError } from "../support/logits.ts";

const folder = temporaryFolder();
const little = { sequences: 2, sequenceLength: 64, evaluations: 6 } as const;
const quick = { gpu: "off", threads: 1, ...little, samples: false } as const;
const TOKENS = Int32Array.from({ length: 100 }, (_, i) => (i * 37 + 11) % 4096);

describe("prune on the example model", () => {
  const output = join(folder, "smaller.gguf");
  let report: Report;
  beforeAll(async () => {
    report = await prune(EXAMPLE_MODEL, { ...quick, remove: 5, output });
  });

  test("reports what was decided and what it cost", () => {
    expect(report.plan.removedLayers).toHaveLength(5);
    expect(report.plan.removals).toHaveLength(5);
    expect(report.plan.keptLayers).toHaveLength(15);
    expect(report.output).toMatchObject({ path: output });
    expect(report.analysis).toMatchObject({ model: { blockCount: 20, architecture: "llama" } });
    expect(report.analysis).not.toHaveProperty("similarity");
    expect(report.perplexity!.original).toBeGreaterThan(1);
    expect(report.perplexity!.pruned).toBeGreaterThan(report.perplexity!.original);
    expect(report.divergence!.klDivergence).toBeGreaterThan(0);
    expect(report.divergence!.topAgreement).toBeGreaterThan(0);
    expect(report.divergence!.topAgreement).toBeLessThan(1);
    expect(report.output!.parameters).toBeLessThan(report.input.parameters!);
  });

  test("writes a model of 15 blocks that says where it comes from", async () => {
    const file = await readGguf(output);
    const value = (key: string) => file.metadata.get(key)?.decode().value;
    expect(value("llama.block_count")).toBe(15);
    expect(value("lorp.removed_layers")).toEqual(report.plan.removedLayers);
    expect(value("lorp.original_block_count")).toBe(20);
    expect(value("lorp.source_fingerprint")).toBe(report.analysis!.model.fingerprint);
    expect(value("lorp.rls")).toBe(report.analysis!.rls);
  });

  test("computes what the original computes with those blocks skipped", async () => {
    const written = await logitsOf(output, TOKENS);
    const expected = await logitsOf(EXAMPLE_MODEL, TOKENS, { skip: report.plan.removedLayers });
    expect(normalisedError(expected, written)).toBeLessThan(1e-9);
    expect(normalisedError(await logitsOf(EXAMPLE_MODEL, TOKENS), written)).toBeGreaterThan(1e-4);
  });
});

test("a dry run writes nothing, and foresees what writing then shows", async () => {
  const output = join(folder, "dry.gguf");
  const asked = { ...quick, ratio: 0.1, output, matrix: true } as const;
  const dry = await prune(EXAMPLE_MODEL, { ...asked, dryRun: true });
  expect(dry.output).toBeNull();
  expect(readdirSync(folder)).not.toContain("dry.gguf");
  expect(dry.plan.removedLayers).toHaveLength(2);
  expect(dry.analysis!.similarity).toHaveLength(20);

  const wet = await prune(EXAMPLE_MODEL, asked);
  expect(dry.plan.removedLayers).toEqual(wet.plan.removedLayers);
  expect(dry.expected).toMatchObject({ bytes: wet.output!.bytes, parameters: wet.output!.parameters });
  expect(dry.perplexity!.original).toBeCloseTo(wet.perplexity!.original, 6);
  expect(dry.perplexity!.pruned).toBeCloseTo(wet.perplexity!.pruned, 6);
  expect(dry.divergence!.klDivergence).toBeCloseTo(wet.divergence!.klDivergence, 9);
  expect(dry.divergence!.standardError).toBeCloseTo(wet.divergence!.standardError!, 9);
  expect(dry.verdict).toEqual(wet.verdict);
});

test("a dry run foresees what maps change", async () => {
  const output = join(folder, "made-up.gguf");
  const short = { ...quick, sequences: 8, sequenceLength: 128 };
  const repaired = { ...short, layers: "8-11", repair: "bridge", output, force: true } as const;
  const dry = await prune(EXAMPLE_MODEL, { ...repaired, dryRun: true });
  const wet = await prune(EXAMPLE_MODEL, repaired);
  const plain = await prune(EXAMPLE_MODEL, { ...repaired, repair: "off", dryRun: true });
  expect(dry.expected!.bytes).toBe(wet.output!.bytes);
  const [foreseen, written, without] = [dry, wet, plain].map((report) => report.divergence!.klDivergence);
  // What is written is rounded to the tensors' types.
  expect(Math.abs(foreseen! - written!)).toBeLessThan(0.2 * Math.abs(without! - written!));
});

test("warns where a goal takes more than a model can do without, and before a ruined model is written", async () => {
  const said: string[] = [];
  const onNotice = (text: string) => said.push(text);
  const output = join(folder, "ruined.gguf");
  const asked = { ...quick, evaluations: 2, speedup: 5, output };
  const { divergence } = await prune(EXAMPLE_MODEL, { ...asked, onNotice });
  expect(divergence!.klDivergence).toBeGreaterThan(1);
  const first = said.findIndex((text) => text.startsWith("At least 18 of 20 layers have to go for this"));
  const second = said.findIndex((text) =>
    text.startsWith("Without these 18 layers the model will be ruined"),
  );
  expect([first >= 0, second > first]).toEqual([true, true]);
});

test("the same seed decides the same; the plan of an analysis is that of prune", async () => {
  const report = await prune(EXAMPLE_MODEL, { ...quick, remove: 3, dryRun: true, matrix: true });
  const again = await prune(EXAMPLE_MODEL, { ...quick, remove: 3, dryRun: true, matrix: true });
  expect(again).toEqual(report);
  const analysis = { ...report.analysis!, similarity: report.analysis!.similarity! };
  const byLorp = await prune(EXAMPLE_MODEL, { ...quick, remove: 3, dryRun: true, method: "lorp" });
  expect(plan(analysis, { remove: 3 }).removals).toEqual(byLorp.plan.removals);
});

test("a plan for another model is refused", async () => {
  const report = await prune(EXAMPLE_MODEL, { ...quick, remove: 1, dryRun: true });
  const foreign = { ...report.plan, model: { ...report.plan.model, fingerprint: "0".repeat(64) } };
  await expect(apply(EXAMPLE_MODEL, foreign, { output: join(folder, "foreign.gguf") })).rejects.toMatchObject(
    {
      code: "PLAN_OTHER_MODEL",
    },
  );
  expect(readdirSync(folder)).not.toContain("foreign.gguf");
});

test("stops at once when its signal fires, and leaves nothing behind", async () => {
  const before = readdirSync(folder);
  const controller = new AbortController();
  const work = prune(EXAMPLE_MODEL, {
    gpu: "off",
    remove: 5,
    output: join(folder, "stopped.gguf"),
    signal: controller.signal,
    onProgress: ({ stage, done }) => {
      if (stage === "capture" && done > 0) controller.abort();
    },
  });
  await expect(work).rejects.toMatchObject({ code: "ABORTED" });
  expect(readdirSync(folder)).toEqual(before);
});

test("stopped while its cost is measured, it leaves the whole file and says so", async () => {
  const output = join(folder, "unmeasured.gguf");
  const controller = new AbortController();
  const options = { ...quick, layers: "4", output } as const;
  const work = prune(EXAMPLE_MODEL, {
    ...options,
    signal: controller.signal,
    onProgress: ({ stage }) => {
      if (stage === "evaluate") controller.abort();
    },
  });
  await expect(work).rejects.toThrow(`${output} is written, and whole`);
  const left = readFileSync(output);
  await prune(EXAMPLE_MODEL, { ...options, force: true });
  expect(left.equals(readFileSync(output))).toBe(true);
});
