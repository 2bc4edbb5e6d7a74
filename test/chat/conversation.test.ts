import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { beginWithBos } from "../../src/calibration/sequences.ts";
import { openConversation } from "../../src/chat/conversation.ts";
import type { Conversation } from "../../src/chat/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufValue } from "../../src/gguf/types.ts";
import { openModel } from "../../src/model/model.ts";
import { applyPlan } from "../../src/surgery/apply.ts";

import { fixtureMetadata, fixtureTensors } from "../support/architectures.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { buildGguf, str, u32 } from "../support/gguf.ts";
import { writeScaledExample } from "../support/scaled.ts";

let conversation: Conversation;
beforeAll(async () => {
  conversation = await openConversation(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
});
afterAll(() => conversation.close());

test("goes on with a text when the model has no chat template, piece by piece", async () => {
  const pieces: string[] = [];
  const { text: answer, end } = await conversation.answer("It was a truth", {
    maxTokens: 12,
    onText: (text) => pieces.push(text),
  });
  expect(conversation.mode).toBe("completion");
  expect(pieces.length).toBeGreaterThan(3);
  expect(pieces.join("").trimEnd()).toBe(answer.trimEnd());
  expect(answer).toMatch(/[a-z]{2,} [a-z]{2,}/);
  expect(end).toBe("maxTokens");
});

test("says the same again, but for a temperature", async () => {
  const greedy = { maxTokens: 12, temperature: 0 };
  const answer = await conversation.answer("She looked at", greedy);
  expect(await conversation.answer("She looked at", greedy)).toEqual(answer);
  const drawn = await conversation.answer("She looked at", { maxTokens: 12, temperature: 5, seed: 7 });
  expect(drawn.text).not.toBe(answer.text);
});

test("takes the most likely token where it draws none, as llama.cpp's logits tell it", async () => {
  const model = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
  const { states } = describeArchitecture(await readGguf(EXAMPLE_MODEL));
  const prompt = beginWithBos(await model.tokenize("She looked at"), model.info.bos);
  const [tokens] = await model.openSession({ sequenceLength: 64, states }).generate([prompt], 12);
  const text = await model.text(tokens!);
  model.close();
  const greedy = await conversation.answer("She looked at", { maxTokens: 12, temperature: 0 });
  expect(greedy.text.trim()).toBe(text.trim());
});

test("stops in the middle of an answer, and can go on after it", async () => {
  const controller = new AbortController();
  const stopped = conversation.answer("Once", {
    onText: () => controller.abort(),
    signal: controller.signal,
  });
  await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
  expect((await conversation.answer("Once", { maxTokens: 4 })).text).not.toBe("");
});

test("says why llama.cpp cannot load a model", async () => {
  const path = join(temporaryFolder(), "fewer.gguf");
  const tensors = fixtureTensors("llama").filter(({ name }) => name !== "blk.3.ffn_norm.weight");
  writeFileSync(path, buildGguf({ metadata: fixtureMetadata("llama"), tensors }));
  await expect(openConversation(path, { gpu: "off" })).rejects.toMatchObject({
    code: "CHAT_LOAD",
    message: expect.stringMatching(/missing tensor 'blk\.3\.ffn_norm\.weight'.*\); the file is damaged/),
  });
});

test("refuses what is no model", async () => {
  await expect(openConversation("package.json")).rejects.toMatchObject({ code: "GGUF_NOT_GGUF" });
});

/** The example with more or other values in its metadata. */
async function exampleWith(set: Readonly<Record<string, GgufValue>>): Promise<string> {
  const { path } = await applyPlan({
    model: await readGguf(EXAMPLE_MODEL),
    rewrite: { set: new Map(Object.entries(set)), renameTensor: (name) => name },
    provenance: new Map(),
    output: join(temporaryFolder(), "changed.gguf"),
  });
  return path;
}

test("says that a chat template cannot be used, and what is used instead", async () => {
  const template = "{% for m in messages %}{{ m.content | wobble }}{% endfor %}";
  const path = await exampleWith({ "tokenizer.chat_template": str(template) });
  const notices: string[] = [];
  const other = await openConversation(path, {
    gpu: "off",
    threads: 1,
    onNotice: (notice) => notices.push(notice),
  });
  expect((await other.answer("hi", { maxTokens: 4, temperature: 0 })).text).not.toBe("");
  await other.close();
  expect(notices).toEqual([
    expect.stringMatching(/^The chat template of .* cannot be used \(.*wobble.*\): .* "\w+" instead\.$/),
  ]);
});

test.each([
  ["completion", {}],
  ["chat", { "tokenizer.chat_template": str("{% for m in messages %}{{ m.content }}{% endfor %}") }],
])("ends an answer that fills the context, and can go on after it: %s", async (mode, template) => {
  const path = await exampleWith({ "llama.context_length": u32(64), ...template });
  const other = await openConversation(path, { gpu: "off", threads: 1 });
  expect(other).toMatchObject({ mode, contextLength: 64 });
  for (const prompt of ["It was", "And then"]) {
    let pieces = 0;
    const { text, end } = await other.answer(prompt, { temperature: 0, onText: () => pieces++ });
    expect(end).toBe("context");
    expect(pieces).toBeLessThan(64);
    expect(text).toMatch(/[a-z]{2,} [a-z]{2,}/);
  }
  await other.close();
});

test.each([0, 0.8])("refuses a model that computes NaN, at temperature %d", async (temperature) => {
  const path = await writeScaledExample(join(temporaryFolder(), "nan.gguf"), {
    "blk.19.ffn_down.weight": Number.NaN,
  });
  const other = await openConversation(path, { gpu: "off", threads: 1 });
  const pieces: string[] = [];
  await expect(
    other.answer("It was", { temperature, maxTokens: 4, onText: (text) => pieces.push(text) }),
  ).rejects.toMatchObject({ code: "RUNTIME_NAN", message: expect.stringContaining(path) });
  expect(pieces).toEqual([]);
  await other.close();
});

test("refuses a model without a tokenizer", async () => {
  const path = await exampleWith({ "tokenizer.ggml.model": str("no_vocab") });
  await expect(openConversation(path)).rejects.toMatchObject({
    code: "RUNTIME_MODEL",
    message: expect.stringContaining("has no tokenizer"),
  });
});
