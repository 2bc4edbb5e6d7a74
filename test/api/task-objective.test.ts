import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TokenizedItem } from "../../src/evaluation/choices.ts";
import { margin, marginLosses } from "../../src/evaluation/margins.ts";
import { compare, evaluate, prune } from "../../src/index.ts";
import type { Lanes } from "../../src/model/lanes.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const quick = { gpu: "off", threads: 1, sequences: 6, sequenceLength: 48, samples: false } as const;

/** Sentences whose last words are those of the text, or two others. */
const questions = readFileSync(new URL("../../calibration/default.txt", import.meta.url), "utf8")
  .split("\n\n")
  .filter((passage) => /^[A-Z][\w ,;']{60,}/.test(passage))
  .filter((passage) => passage.split(/\s+/).length >= 22)
  .slice(0, 24)
  .map((passage) => {
    const words = passage.split(/\s+/);
    const right = words.slice(8, 10).join(" ");
    const choices = [`${words.slice(20, 22).join(" ")}`, right, "the of"];
    return JSON.stringify({ context: words.slice(0, 8).join(" "), choices, answer: 1 });
  });

function write(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

test("a margin is the right choice's log-likelihood less the likeliest wrong one's", () => {
  expect(margin([-3, -1, -2], 1)).toBe(1);
  expect(margin([-3, -1, -2], 0)).toBe(-2);
});

test("the losses of a group are its items' margins, negated, and known once they are kept", async () => {
  // Every token's log-probability is its own number, so that a choice's likelihood is the sum of its continuation.
  const item = (answer: number, ...choices: number[][]): TokenizedItem => ({
    choices: choices.map((tokens) => ({ tokens: Int32Array.from(tokens), first: 1, bytes: 1 })),
    answer,
  });
  let runs = 0;
  const session = {
    score(tokens: Int32Array, { first, skip }: { first: number; skip: readonly number[] }) {
      runs += 1;
      return { logProb: Float64Array.from(tokens.subarray(first), (token) => -token - skip.length) };
    },
  };
  const lanes = { count: 2, run: (work: (one: typeof session) => unknown) => work(session) };
  const groups = [[item(0, [9, 1], [9, 4]), item(1, [9, 2, 2], [9, 7])], [item(1, [9, 5], [9, 3])]];
  const losses = marginLosses(lanes as unknown as Lanes, groups);
  expect(losses).toMatchObject({ objective: "task", sequences: 2, atOnce: 2 });
  expect([losses.tokens(0), losses.tokens(1)]).toEqual([9, 4]);
  expect(await losses.losses([], 0)).toEqual(Float64Array.of(-3, 3));
  // Of two tokens against one, a layer less costs one more.
  expect(await losses.losses([5], 0)).toEqual(Float64Array.of(-3, 2));
  expect(await losses.losses([5], 1)).toEqual(Float64Array.of(-2));
  expect(losses.isKnown([5], 1)).toBe(true);
  const before = runs;
  await losses.losses([5], 1);
  expect(runs).toBe(before);
});

describe("a choice by a task", () => {
  test("is measured on half of its items, and reported on the other half", async () => {
    const output = join(folder, "by-task.gguf");
    const task = write("words.jsonl", questions);
    const report = await prune(EXAMPLE_MODEL, {
      ...quick,
      remove: 2,
      objective: "task",
      task,
      evaluations: 12,
      output,
    });
    const { measurements, method, removedLayers } = report.plan;
    expect(method).toBe("auto");
    expect(measurements).toMatchObject({ objective: "task", text: { name: "words.jsonl", part: "choice" } });
    expect(measurements!.sets[0]).toMatchObject({ removedLayers, complete: true });
    expect(measurements!.sets[0]!.perplexity).toBeUndefined();
    const kept = write(
      "kept.jsonl",
      questions.filter((_, index) => index % 2 === 1),
    );
    const { tasks } = await evaluate(output, { ...quick, against: EXAMPLE_MODEL, text: [], task: [kept] });
    expect(report.task).toMatchObject({
      name: "words.jsonl",
      items: questions.length / 2,
      original: tasks[0]!.base!.raw,
      pruned: tasks[0]!.raw,
      paired: tasks[0]!.paired!.raw,
    });
  });

  test.each([
    ["no task", { objective: "task" }, /needs a task/],
    ["another objective", { task: "words.jsonl" }, /only chosen by with the objective task/],
  ] as const)("%s is refused before any work", async (_, options, message) => {
    const refused = prune(EXAMPLE_MODEL, { ...quick, remove: 2, dryRun: true, ...options });
    await expect(refused).rejects.toMatchObject({ code: "OPTION_INVALID", message });
  });

  test.each([
    ["prompts", '{"prompt": "1 + 1 =", "match": "2"}', /prompts judged by a pattern/],
    ["few", questions[0]!, /has 1 items.* at least 16/],
  ])("a task of %s is refused by what it lacks", async (name, line, message) => {
    const task = write(`${name}.jsonl`, [line]);
    const refused = prune(EXAMPLE_MODEL, { ...quick, remove: 2, dryRun: true, objective: "task", task });
    await expect(refused).rejects.toMatchObject({ code: "OPTION_INVALID", message });
  });

  test("a comparison, which has texts only, is refused", async () => {
    const refused = compare(EXAMPLE_MODEL, { ...quick, remove: [1], objective: "task" });
    await expect(refused).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: /objective kl or perplexity/,
    });
  });
});

test("a ruined result says the most layers that are not, and they are not", async () => {
  const report = await prune(EXAMPLE_MODEL, {
    ...quick,
    remove: 17,
    method: "shortgpt",
    output: join(folder, "ruined.gguf"),
  });
  expect(report.verdict!.grade).toBe("ruined");
  const { removedLayers, klDivergence } = report.reach!;
  expect(removedLayers.length).toBeGreaterThan(0);
  expect(removedLayers.length).toBeLessThan(17);
  expect(klDivergence).toBeLessThanOrEqual(1);
  // The same on the same text, by another way: the file without these layers.
  const { divergence } = await prune(EXAMPLE_MODEL, {
    ...quick,
    layers: removedLayers,
    output: join(folder, "not-ruined.gguf"),
  });
  expect(divergence!.klDivergence).toBeLessThanOrEqual(1);
  // What the losses leave out of a distribution is below a twentieth.
  expect(klDivergence / divergence!.klDivergence).toBeGreaterThan(0.95);
  expect(klDivergence / divergence!.klDivergence).toBeLessThanOrEqual(1.0001);
});
