import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openConversation } from "../../src/chat/conversation.ts";
import type { Conversation } from "../../src/chat/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { applyPlan } from "../../src/surgery/apply.ts";

import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { str } from "../support/gguf.ts";

let conversation: Conversation;
beforeAll(async () => {
  conversation = await openConversation(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
});
afterAll(() => conversation.close());

test("goes on with a text when the model has no chat template, piece by piece", async () => {
  const pieces: string[] = [];
  const answer = await conversation.answer("It was a truth", {
    maxTokens: 12,
    onText: (text) => pieces.push(text),
  });
  expect(conversation.mode).toBe("completion");
  expect(pieces.length).toBeGreaterThan(3);
  expect(pieces.join("").trimEnd()).toBe(answer.trimEnd());
  expect(answer).toMatch(/[a-z]{2,} [a-z]{2,}/);
});

test("says the same again, but for a temperature", async () => {
  const greedy = { maxTokens: 12, temperature: 0 };
  const answer = await conversation.answer("She looked at", greedy);
  expect(await conversation.answer("She looked at", greedy)).toBe(answer);
  expect(await conversation.answer("She looked at", { maxTokens: 12, temperature: 5, seed: 7 })).not.toBe(
    answer,
  );
});

test("stops in the middle of an answer, and can go on after it", async () => {
  const controller = new AbortController();
  const stopped = conversation.answer("Once", {
    onText: () => controller.abort(),
    signal: controller.signal,
  });
  await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
  expect(await conversation.answer("Once", { maxTokens: 4 })).not.toBe("");
});

test("refuses what is no model", async () => {
  await expect(openConversation("package.json")).rejects.toMatchObject({ code: "GGUF_NOT_GGUF" });
});

/** The example with one more or another value in its metadata. */
async function exampleWith(key: string, value: string): Promise<string> {
  const { path } = await applyPlan({
    model: await readGguf(EXAMPLE_MODEL),
    rewrite: { set: new Map([[key, str(value)]]), renameTensor: (name) => name },
    provenance: new Map(),
    output: join(temporaryFolder(), "changed.gguf"),
  });
  return path;
}

test("says that a chat template cannot be used, and what is used instead", async () => {
  const template = "{% for m in messages %}{{ m.content | wobble }}{% endfor %}";
  const path = await exampleWith("tokenizer.chat_template", template);
  const notices: string[] = [];
  const other = await openConversation(path, {
    gpu: "off",
    threads: 1,
    onNotice: (notice) => notices.push(notice),
  });
  expect(await other.answer("hi", { maxTokens: 4, temperature: 0 })).not.toBe("");
  await other.close();
  expect(notices).toEqual([
    expect.stringMatching(/^The chat template of .* cannot be used \(.*wobble.*\): .* "\w+" instead\.$/),
  ]);
});

test("refuses a model without a tokenizer", async () => {
  const path = await exampleWith("tokenizer.ggml.model", "no_vocab");
  await expect(openConversation(path)).rejects.toMatchObject({
    code: "RUNTIME_MODEL",
    message: expect.stringContaining("has no tokenizer"),
  });
});
