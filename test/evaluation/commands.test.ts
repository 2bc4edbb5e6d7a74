import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { loadCalibration } from "../../src/calibration/load.ts";
import { dealSequences } from "../../src/calibration/sequences.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { compare, evaluate, inspect, plan, prune } from "../../src/index.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { openOnCpu, perplexity } from "../support/example-session.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const quick = { gpu: "off", threads: 1, sequences: 6, sequenceLength: 48 } as const;

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const prose = readFileSync(new URL("../../calibration/default.txt", import.meta.url), "utf8");
const someText = write("some.txt", prose.slice(0, 2000));

/** Perplexity of the example model on a part of the text as `quick` deals it. */
async function perplexityOn(part: "choice" | "report", skip: readonly number[]): Promise<number> {
  const example = await openOnCpu(EXAMPLE_MODEL);
  try {
    const tokens = await example.model.tokenize((await loadCalibration()).text);
    const { bos } = example.model.info;
    const sequences = dealSequences(tokens, { ...quick, bos })[part];
    const session = example.openSession(quick.sequenceLength, quick.sequenceLength);
    return (await perplexity(session, { sequences, first: bos < 0 ? 1 : 2 }, { skip })).perplexity;
  } finally {
    example.close();
  }
}

describe("evaluate", () => {
  const options = { ...quick, sequences: 2, text: [someText] };

  test("says of skipped layers what they do against the model as it is", async () => {
    const { base, skippedLayers, texts } = await evaluate(EXAMPLE_MODEL, { ...options, skipLayers: "4,13" });
    expect({ base, skippedLayers }).toEqual({ base: EXAMPLE_MODEL, skippedLayers: [4, 13] });
    const alone = await evaluate(EXAMPLE_MODEL, options);
    expect(texts[0]!.base!.perplexity).toBeCloseTo(alone.texts[0]!.perplexity, 9);
    expect(texts[0]!.base!.klDivergence.mean).toBeGreaterThan(0);
    expect(texts[0]).toMatchObject({ name: "some.txt", sequences: 2, sequenceLength: 48, tokens: 92 });
    expect(alone).toMatchObject({ base: null, resources: [], tasks: [] });
  });

  test("times what it is asked to, and answers tasks for both sides", async () => {
    const task = write("t.jsonl", '{"context": "He said", "choices": ["nothing", "xyzzy"], "answer": 0}');
    const evaluation = await evaluate(EXAMPLE_MODEL, {
      ...options,
      against: EXAMPLE_MODEL,
      task: [task],
      speed: true,
    });
    expect(evaluation.resources).toHaveLength(2);
    // The same file takes the same memory, whichever side is measured first.
    const [memory = 0, ofBase = 0] = evaluation.resources.map(({ memoryBytes }) => memoryBytes);
    expect(memory / ofBase).toBeGreaterThan(0.9);
    expect(memory / ofBase).toBeLessThan(1.1);
    for (const { fileBytes, memoryBytes, tokensPerSecond } of evaluation.resources) {
      expect(fileBytes).toBe(readFileSync(EXAMPLE_MODEL).length);
      expect(memoryBytes).toBeGreaterThan(0);
      expect(Math.min(tokensPerSecond.prompt, tokensPerSecond.generation)).toBeGreaterThan(0);
    }
    expect(evaluation.tasks[0]).toMatchObject({ raw: { accuracy: 1 }, base: { raw: { accuracy: 1 } } });
    expect(evaluation.texts[0]!.base!.klDivergence.maximum).toBeLessThan(1e-6);
  });

  const everyLayer = Array.from({ length: 20 }, (_, layer) => layer).join();
  test.each([
    [{ text: [write("empty.txt", " \n")] }, "CALIBRATION_EMPTY", /has no text/],
    [{ text: [write("short.txt", "Too short.")] }, "CALIBRATION_TOO_SHORT", /are needed/],
    [{ task: [write("bad.jsonl", "\n{}")] }, "EVALUATION_TASK_LINE", /Line 2/],
    [{ sequenceLength: 2, protocol: "llama.cpp" as const }, "OPTION_INVALID", /at least 3/],
    [{ baseCache: join(folder, "alone.logits") }, "BASE_MISSING", /add `against` or `skipLayers`/],
    [{ skipLayers: everyLayer }, "BUDGET_INVALID", /Cannot remove 20 of 20/],
    [{ skipLayers: "3,25" }, "LAYERS_INVALID", /no layer 25/],
  ])("refuses %j", async (wrong, code, message) => {
    const evaluation = evaluate(EXAMPLE_MODEL, { ...options, ...wrong });
    await expect(evaluation).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("takes an empty list for none, and scores windows as short as can be", async () => {
    const { texts } = await evaluate(EXAMPLE_MODEL, {
      ...options,
      text: [],
      task: [],
      protocol: "llama.cpp",
      sequenceLength: 3,
    });
    expect(texts).toMatchObject([{ name: "default", sequences: 2, tokens: 2 }]);
  });

  test("refuses a base of another vocabulary and says which token differs", async () => {
    const { metadata } = await readGguf(EXAMPLE_MODEL);
    const tokens = metadata.get("tokenizer.ggml.tokens")!.decode().value as readonly string[];
    const base = readFileSync(EXAMPLE_MODEL);
    const token = Buffer.from(tokens[3000]!);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(token.length));
    const at = base.indexOf(Buffer.concat([length, token])) + length.length;
    base.write("#", at + token.length - 1);
    const evaluation = evaluate(EXAMPLE_MODEL, { ...options, against: write("other.gguf", base) });
    await expect(evaluation).rejects.toMatchObject({
      code: "EVALUATION_VOCABULARY",
      message: expect.stringMatching(/its token 3000 is ".*#", not /),
    });
  });

  test("finds the same with the base's logits on disk, and refuses those of other texts", async () => {
    const with4 = {
      ...options,
      skipLayers: "4",
      // Those need the base itself.
      samples: false,
      text: [someText, write("more.txt", prose.slice(2000, 4000))],
    };
    const beside = await evaluate(EXAMPLE_MODEL, with4);
    const baseCache = join(folder, "base.logits");
    expect(await evaluate(EXAMPLE_MODEL, { ...with4, baseCache })).toEqual(beside);
    // A row of 4,096 logits for each of 2 texts × 2 windows × 46 tokens.
    expect(statSync(baseCache).size).toBe(128 + 2 * 2 * 46 * 4096 * 4);
    expect(await evaluate(EXAMPLE_MODEL, { ...with4, baseCache })).toEqual(beside);
    await expect(evaluate(EXAMPLE_MODEL, { ...with4, text: [someText], baseCache })).rejects.toMatchObject({
      code: "EVALUATION_CACHE",
    });
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("stops when it is told to", async () => {
    const controller = new AbortController();
    const evaluation = evaluate(EXAMPLE_MODEL, {
      ...options,
      sequences: 8,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(evaluation).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("compare", () => {
  test("measures every method at every budget on every text", async () => {
    const { texts, candidates } = await compare(EXAMPLE_MODEL, {
      ...quick,
      remove: [2, 3],
      methods: ["lorp", "last", "auto"],
      text: [someText],
      textSequences: 1,
      evaluations: 12,
    });
    expect(texts.map(({ name, sequences }) => [name, sequences])).toEqual([
      ["default (report part)", 3],
      ["some.txt", 1],
    ]);
    expect(candidates.map(({ method, budget }) => [method, budget])).toEqual(
      [2, 3].flatMap((budget) => ["lorp", "last", "auto"].map((method) => [method, budget])),
    );
    expect(candidates[1]).toMatchObject({ removedLayers: [17, 18] });
    for (const { measures } of candidates) expect(measures[1]!.klDivergence).toBeGreaterThan(0);
    expect(candidates[1]!.measures[0]!.perplexity).toBeCloseTo(await perplexityOn("report", [17, 18]), 6);
  });

  test("measures anew what was kept and is no measure", async () => {
    const caches = join(folder, "caches");
    vi.stubEnv("XDG_CACHE_HOME", caches);
    const options = { ...quick, remove: [2], methods: ["last"], cache: true };
    const first = await compare(EXAMPLE_MODEL, options);
    const kept = join(caches, "lorp");
    const files = readdirSync(kept, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".jsonl"),
    );
    expect(files).toHaveLength(1);
    const path = join(kept, files[0]!);
    const damaged = readFileSync(path, "utf8").replace(/("perplexity":)[\d.]+/g, '$1"low"');
    expect(damaged).toMatch(/cost without 17,18.*"low"/);
    writeFileSync(path, damaged);
    expect((await compare(EXAMPLE_MODEL, options)).candidates).toEqual(first.candidates);
    vi.unstubAllEnvs();
  });

  test("refuses methods that there are not, and budgets out of range", async () => {
    const refused = (wrong: object) => compare(EXAMPLE_MODEL, { ...quick, remove: [2], ...wrong });
    await expect(refused({ methods: ["best"] })).rejects.toMatchObject({ code: "METHOD_UNKNOWN" });
    await expect(refused({ remove: [19] })).rejects.toMatchObject({ code: "BUDGET_INVALID" });
    await expect(refused({ remove: [] })).rejects.toMatchObject({ code: "BUDGET_INVALID" });
  });
});

describe("how much, in the user's terms", () => {
  const dry = { ...quick, dryRun: true, samples: false } as const;

  test("--target-size: the fewest layers with which the written file is small enough", async () => {
    const targetSize = 11_000_000;
    const output = join(folder, "small.gguf");
    const options = { ...quick, targetSize, method: "lorp", samples: false, output };
    const report = await prune(EXAMPLE_MODEL, options);
    expect(report.output!.bytes).toBeLessThanOrEqual(targetSize);
    const { blocks } = await inspect(EXAMPLE_MODEL);
    expect(report.output!.bytes + blocks[1]!.bytes).toBeGreaterThan(targetSize);
  });

  test("--speedup: the fewest layers that leave so little to compute", async () => {
    const report = await prune(EXAMPLE_MODEL, { ...dry, speedup: 1.3, method: "lorp" });
    const { blocks } = await inspect(EXAMPLE_MODEL);
    const share = report.plan.removedLayers.reduce((sum, layer) => sum + blocks[layer]!.computeShare, 0);
    expect(1 / (1 - share)).toBeGreaterThanOrEqual(1.3);
    expect(1 / (1 - share + blocks[1]!.computeShare)).toBeLessThan(1.3);
  });

  test("--max-loss: no more layers by that method are within it", async () => {
    const maxLoss = 0.25;
    const report = await prune(EXAMPLE_MODEL, { ...dry, maxLoss, method: "shortgpt", matrix: true });
    const original = await perplexityOn("report", []);
    const originalChoice = await perplexityOn("choice", []);
    const removed = report.plan.removedLayers;
    expect((await perplexityOn("report", removed)) / original).toBeLessThanOrEqual(1 + maxLoss);
    const analysis = report.analysis as Parameters<typeof plan>[0];
    for (let remove = removed.length + 1; remove <= Math.min(removed.length + 4, 18); remove++) {
      const more = plan(analysis, { method: "shortgpt", remove }).removedLayers;
      const ratios = [
        (await perplexityOn("report", more)) / original,
        (await perplexityOn("choice", more)) / originalChoice,
      ];
      expect(Math.max(...ratios)).toBeGreaterThan(1 + maxLoss);
    }
    const measured = report.plan.measurements!.sets.find(
      (set) => set.removedLayers.join() === removed.join(),
    );
    expect(Math.exp(measured!.loss - report.plan.measurements!.original!.loss)).toBeLessThanOrEqual(1.25);
  });

  test("--max-loss with auto reaches at least as far as any method", async () => {
    const options = { ...dry, maxLoss: 0.1, evaluations: 12 };
    const reached = async (method: string) =>
      (await prune(EXAMPLE_MODEL, { ...options, method })).plan.removedLayers.length;
    const others = [await reached("lorp"), await reached("shortgpt"), await reached("streamline")];
    expect(await reached("auto")).toBeGreaterThanOrEqual(Math.max(...others));
  });

  test("--max-loss in nats holds the KL divergence on the text of the report", async () => {
    const report = await prune(EXAMPLE_MODEL, {
      ...dry,
      dryRun: false,
      output: join(folder, "nats.gguf"),
      maxLoss: { nats: 0.5 },
      evaluations: 12,
      samples: false,
    });
    expect(report.plan.method).toBe("auto");
    expect(report.divergence!.klDivergence).toBeLessThanOrEqual(0.5);
    expect(report.plan.measurements).toMatchObject({ objective: "kl", text: { part: "choice" } });
    expect(report.perplexity!.text).toMatchObject({ part: "report" });
    expect(report.analysis!.settings).toMatchObject({ calibration: { part: "analysis" }, bos: true });
    const without = prune(EXAMPLE_MODEL, { ...dry, maxLoss: { nats: 0 }, evaluations: 12 });
    await expect(without).rejects.toMatchObject({ code: "BUDGET_INVALID" });
  });

  test("auto is not worse than the methods on the held-back text, and says what it measured", async () => {
    const report = await prune(EXAMPLE_MODEL, {
      ...dry,
      remove: 4,
      objective: "perplexity",
      evaluations: 20,
    });
    const { measurements, removedLayers, method } = report.plan;
    expect(method).toBe("auto");
    expect(measurements!.sets.length).toBeLessThanOrEqual(20);
    expect(measurements!.sets[0]!.removedLayers).toEqual(removedLayers);
    expect(measurements!.sets[0]!.perplexity).toBeCloseTo(await perplexityOn("choice", removedLayers), 6);
    const proposers = measurements!.sets.flatMap((set) => set.proposedBy);
    for (const name of [
      "lorp",
      "lorp with 6 clusters",
      "shortgpt",
      "streamline",
      "angular",
      "last",
      "random",
    ]) {
      expect(proposers).toContain(name);
    }
  });

  test.each([
    [{ targetSize: 1000 }, /cannot get below about/],
    [{ speedup: 50 }, /cannot get faster than about/],
    [{ maxLoss: 1e-9, method: "last" }, /No layer can go/],
    [{ remove: 3, speedup: 2 }, /one way only/],
    [{ remove: 3, method: "auto", sequences: 1000 }, /are needed/],
  ])("refuses %j", async (wrong, message) => {
    await expect(prune(EXAMPLE_MODEL, { ...dry, ...wrong })).rejects.toThrow(message);
  });
});
