import { afterAll, beforeAll, expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { type Model, openModel } from "../../src/model/model.ts";
import { mostSampled, sampleText } from "../../src/repair/sampled-text.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

const { states } = describeArchitecture(await readGguf(EXAMPLE_MODEL));
let model: Model;
beforeAll(async () => {
  model = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
});
afterAll(() => model.close());

const BEGINNINGS = ["The old captain", "It was", "In the morning", "Her brother", "The letter", "At last"];
const prompts = (more: readonly string[] = []) => ({
  questions: ["Why is the sky blue?"],
  beginnings: [...BEGINNINGS, "Once upon a time", "They walked", "Nobody", ...more],
  sha256: "",
});
const settings = { states, bos: 1, sequenceLength: 64 };

test("a model writes on from each beginning, the same each time", async () => {
  const told: number[] = [];
  const written = await sampleText(model, prompts(), {
    ...settings,
    onTokens: (tokens) => told.push(tokens),
  });
  // This model knows no chat.
  expect(written).toHaveLength(9);
  const tokens = await model.tokenize("It was");
  expect([...written[1]!.subarray(0, 1 + tokens.length)]).toEqual([1, ...tokens]);
  const lengths = written.map(({ length }) => length);
  expect(Math.max(...lengths)).toBe(64);
  expect(Math.min(...lengths)).toBeGreaterThan(8);
  expect(new Set(written.map((text) => text.slice(-8).join())).size).toBe(9);
  // Two groups: the second has one prompt.
  expect(told).toHaveLength(2);
  expect(told[0]! + told[1]!).toBeLessThanOrEqual(mostSampled(prompts()));
  expect(await sampleText(model, prompts(), settings)).toEqual(written);
});

test("a beginning that takes more than half of a sequence is left out; without any nothing is written", async () => {
  const long = "and so they went on, ".repeat(20);
  expect(await sampleText(model, prompts([long]), settings)).toHaveLength(9);
  const none = { questions: [], beginnings: [long], sha256: "" };
  expect(await sampleText(model, none, settings)).toEqual([]);
});
