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
  const told: [number, number][] = [];
  const written = await sampleText(model, prompts(), {
    ...settings,
    onTokens: (done, total) => told.push([done, total]),
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
  expect(told.map(([done, total]) => done / total)).toEqual([8 / 9, 1]);
  expect(told[0]![1]).toBeLessThanOrEqual(mostSampled(prompts()));
  expect(await sampleText(model, prompts(), settings)).toEqual(written);
});

test("what was drawn once is kept, group by group, and drawn anew where it is damaged or of other prompts", async () => {
  const values = new Map<string, unknown>();
  const drawn: string[] = [];
  const kept = {
    get: (name: string) => values.get(name),
    async add(name: string, value: unknown) {
      drawn.push(name);
      values.set(name, JSON.parse(JSON.stringify(value)));
    },
  };
  const first = await sampleText(model, prompts(), { ...settings, kept });
  expect(drawn).toHaveLength(2);
  expect(await sampleText(model, prompts(), { ...settings, kept })).toEqual(first);
  expect(drawn).toHaveLength(2);
  const [name] = drawn;
  const right = values.get(name!) as number[][];
  for (const damaged of [
    null,
    "text",
    right.slice(1),
    [...right.slice(1), [-1]],
    [...right.slice(1), [1e6]],
  ]) {
    values.set(name!, damaged);
    expect(await sampleText(model, prompts(), { ...settings, kept })).toEqual(first);
  }
  expect(drawn).toHaveLength(7);
  // One more prompt is in the second group.
  await sampleText(model, prompts(["The sea"]), { ...settings, kept });
  expect(drawn).toHaveLength(8);
  await sampleText(model, prompts(), { ...settings, sequenceLength: 48, kept });
  expect(drawn).toHaveLength(10);
});

test("a beginning that takes more than half of a sequence is left out; without any nothing is written", async () => {
  const long = "and so they went on, ".repeat(20);
  expect(await sampleText(model, prompts([long]), settings)).toHaveLength(9);
  const none = { questions: [], beginnings: [long], sha256: "" };
  expect(await sampleText(model, none, settings)).toEqual([]);
});
