import { afterAll, beforeAll, expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import {
  agreement,
  compareContinuations,
  continuePrompts,
  repetition,
} from "../../src/evaluation/samples.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { type Model, openModel } from "../../src/model/model.ts";
import type { Session } from "../../src/model/session.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

const { states } = describeArchitecture(await readGguf(EXAMPLE_MODEL));
let model: Model;
let together: Session;
let alone: Session;
beforeAll(async () => {
  model = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
  together = model.openSession({ sequenceLength: 32, sequences: 3, microBatch: 2, states });
  alone = model.openSession({ sequenceLength: 32, states });
});
afterAll(() => {
  together.close();
  alone.close();
  model.close();
});

/** One prompt alone, the whole sequence run anew for every token. */
async function greedy(prompt: Int32Array, length: number, skip: readonly number[]): Promise<number[]> {
  const { vocabularySize } = model.info;
  const tokens = [...prompt];
  while (tokens.length < prompt.length + length) {
    const last = (await alone.logits(Int32Array.from(tokens), skip)).slice(-vocabularySize);
    tokens.push(last.indexOf(Math.max(...last)));
  }
  return tokens.slice(prompt.length);
}

test.each([[[]], [[3, 4, 19]]])(
  "prompts of any length go on side by side as each does alone, without %j",
  async (skip) => {
    const texts = ["It was", "The sea was calm, and the old captain stood at the wheel of his", "Once"];
    const prompts = await Promise.all(texts.map((text) => model.tokenize(text)));
    const generated = await together.generate(prompts, 10, { skip });
    for (const [index, prompt] of prompts.entries()) {
      expect([...generated[index]!]).toEqual(await greedy(prompt, 10, skip));
    }
  },
);

test("draws follow what the model predicts, and are the same for a seed", async () => {
  const prompt = await model.tokenize("The old captain");
  const { vocabularySize } = model.info;
  const row = (await alone.logits(prompt)).slice(-vocabularySize);
  const top = Math.max(...row);
  const total = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - top), 0)) + top;
  const logProbability = (token: number) => row[token]! - total;
  // Of tokens that are drawn by their probabilities the mean log-probability is minus the entropy.
  let entropy = 0;
  let square = 0;
  for (const token of row.keys()) {
    const p = Math.exp(logProbability(token));
    entropy -= p * logProbability(token);
    square += p * logProbability(token) ** 2;
  }
  const drawn: number[] = [];
  const seeds = 100;
  for (let seed = 0; seed < seeds; seed++) {
    const made = await together.generate([prompt, prompt, prompt], 1, { seed });
    drawn.push(...made.map(([token]) => logProbability(token!)));
  }
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const deviation = Math.sqrt((square - entropy ** 2) / drawn.length);
  expect(Math.abs(mean + entropy)).toBeLessThan(4 * deviation);
  const first = await together.generate([prompt, prompt], 12, { seed: 5 });
  const [one, other] = await together.generate([prompt, prompt], 12, { seed: 5 });
  expect([one, other]).toEqual(first);
  expect(one).not.toEqual(other);
  expect((await together.generate([prompt, prompt], 12, { seed: 6 }))[0]).not.toEqual(one);
  // What follows one prompt is drawn as it is without the others.
  expect((await together.generate([prompt], 12, { seed: 5 }))[0]).toEqual(one);
});

test("what does not fit is refused", async () => {
  const prompt = Int32Array.from([1, 2, 3]);
  await expect(together.generate([prompt], 30)).rejects.toThrow(/longer than the context/);
  await expect(together.generate([prompt, prompt, prompt, prompt], 1)).rejects.toThrow(/more prompts/);
  await expect(together.generate([Int32Array.from([1e9])], 1)).rejects.toThrow(/not in the vocabulary/);
});

test("a model agrees with itself to the end; without layers it parts", async () => {
  const { bos } = model.info;
  const original = (await continuePrompts(model, { states, bos }))!;
  const same = compareContinuations(original, original);
  expect(same).toMatchObject({ mode: "completion", prompts: 8, tokens: 48, agreed: 48 });
  expect(same.repeated.pruned).toBe(same.repeated.original);
  const pruned = (await continuePrompts(model, { states, bos, skip: [5, 6, 7, 8, 9, 10] }, original))!;
  const apart = compareContinuations(original, pruned);
  expect(apart.agreed).toBeLessThan(24);
  expect(apart.examples[0]!.original).not.toBe(apart.examples[0]!.pruned);
});

test("agreement and repetition are counted", () => {
  const tokens = (...list: number[]) => Int32Array.from(list);
  expect(agreement(tokens(1, 2, 3), tokens(1, 2, 4))).toBe(2);
  expect(agreement(tokens(1, 2), tokens(1, 2, 3))).toBe(2);
  expect(agreement(tokens(1, 2, 3), tokens(1))).toBe(1);
  // Runs: 1212, 2121, 1212.
  expect(repetition(tokens(1, 2, 1, 2, 1, 2))).toBeCloseTo(1 / 3);
  expect(repetition(tokens(1, 2, 3, 4, 5))).toBe(0);
  expect(repetition(tokens(1, 2, 3))).toBe(0);
});
