import { rmSync, truncateSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { describeStoredModels } from "../../src/sources/describe.ts";
import { findOllamaModel } from "../../src/sources/ollama.ts";
import { storedModels } from "../../src/sources/stores.ts";
import { put, putInHubCache, putInOllama, smallModel, temporaryHome } from "./home.ts";

test("finds nothing where nothing is", async () => {
  temporaryHome();
  expect(await storedModels()).toEqual([]);
});

test("finds the models of every program by the names they have there", async () => {
  const home = temporaryHome();
  const inHub = putInHubCache(
    join(home, ".cache/huggingface/hub"),
    "Qwen/Qwen3-8B-GGUF",
    "0123abcd",
    "Qwen3-8B-Q4_K_M.gguf",
    smallModel("qwen"),
  );
  const inStudio = put(
    join(home, ".lmstudio/models/lmstudio-community/Gemma/gemma-Q8_0.gguf"),
    smallModel("gemma"),
  );
  const inOldStudio = put(join(home, ".cache/lm-studio/models/a/b/c.gguf"), smallModel("c"));
  put(join(home, ".lmstudio/models/a/b/readme.txt"), "no model");
  const own = put(join(home, ".cache/lorp/models/hf/user/repo/m.gguf"), smallModel("m"));
  const inLlama = put(join(home, ".cache/llama.cpp/ggml-org_x_y.gguf"), smallModel("y"));
  const inNode = put(join(home, ".node-llama-cpp/models/hf_user_z.Q8_0.gguf"), smallModel("z"));
  const inOllama = putInOllama(join(home, ".ollama/models"), "registry.ollama.ai/library/llama3.2/3b", {
    model: smallModel("llama"),
  });
  const found = await storedModels();
  expect(found.map(({ store, name, path }) => [store, name, path])).toEqual([
    ["lorp", "user/repo/m.gguf", own],
    ["LM Studio", "a/b/c.gguf", inOldStudio],
    ["LM Studio", "lmstudio-community/Gemma/gemma-Q8_0.gguf", inStudio],
    ["Hugging Face", "Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf", inHub],
    ["llama.cpp", "ggml-org_x_y.gguf", inLlama],
    ["node-llama-cpp", "hf_user_z.Q8_0.gguf", inNode],
    ["Ollama", "llama3.2:3b", inOllama.model],
  ]);
});

test("takes a split model for one, and one with missing parts for none", async () => {
  const home = temporaryHome();
  const folder = join(home, ".lmstudio/models/user/repo");
  const part = (prefix: string, no: number) => join(folder, `${prefix}-0000${no}-of-00002.gguf`);
  const first = put(part("whole", 1), smallModel("1"));
  put(part("whole", 2), smallModel("2"));
  put(part("half", 1), smallModel("1"));
  expect(await storedModels()).toEqual([{ store: "LM Studio", name: "user/repo/whole.gguf", path: first }]);
});

test("takes the newer of two revisions in the Hugging Face cache", async () => {
  const home = temporaryHome();
  const cache = join(home, "hub");
  vi.stubEnv("HF_HUB_CACHE", cache);
  const newer = putInHubCache(cache, "user/repo", "aaaa", "m.gguf", smallModel("new"));
  const older = putInHubCache(cache, "user/repo", "bbbb", "m.gguf", smallModel("old"));
  utimesSync(older, 1e9, 1e9);
  expect((await storedModels()).map(({ path }) => path)).toEqual([newer]);
});

test("describes what is found, and says of a damaged file what is wrong with it", async () => {
  const home = temporaryHome();
  const good = smallModel("good", 7);
  put(join(home, ".lmstudio/models/u/r/good.gguf"), good);
  put(join(home, ".lmstudio/models/u/r/half.gguf"), good.subarray(0, 100));
  const [first, second] = await describeStoredModels();
  expect(first).toMatchObject({
    name: "u/r/good.gguf",
    bytes: good.length,
    architecture: "llama",
    blocks: 7,
  });
  expect(second).toMatchObject({ name: "u/r/half.gguf", problem: expect.stringContaining("the file ends") });
});

test("reads what Ollama keeps beside the weights", async () => {
  const home = temporaryHome();
  const { model } = putInOllama(join(home, ".ollama/models"), "registry.ollama.ai/library/llama3.2/latest", {
    model: smallModel("llama"),
    template: "{{ .Prompt }}",
    system: "Be brief.",
    params: { temperature: 0.6, stop: ["<|eot|>", "<|end|>"] },
  });
  expect(await findOllamaModel("llama3.2")).toEqual({
    path: model,
    template: "{{ .Prompt }}",
    system: "Be brief.",
    parameters: { temperature: 0.6, stop: ["<|eot|>", "<|end|>"] },
  });
});

test("finds Ollama models of other owners and registries, in the folder OLLAMA_MODELS names", async () => {
  const store = join(temporaryHome(), "elsewhere");
  vi.stubEnv("OLLAMA_MODELS", store);
  putInOllama(store, "registry.ollama.ai/me/mine/v1", { model: smallModel("mine") });
  putInOllama(store, "hf.co/user/repo/Q4_K_M", { model: smallModel("other") });
  const found = await storedModels();
  expect(found.map(({ name }) => name)).toEqual(["hf.co/user/repo:Q4_K_M", "me/mine:v1"]);
  for (const { name, path } of found) expect((await findOllamaModel(name)).path).toBe(path);
});

test.each([
  ["is not there", "SOURCE_NOT_FOUND", () => undefined],
  ["has lost its weights", "SOURCE_OLLAMA", ({ model = "" }) => rmSync(model)],
  ["has only part of its weights", "SOURCE_OLLAMA", ({ model = "" }) => truncateSync(model, 10)],
])("says that an Ollama model %s", async (what, code, damage: (blobs: Record<string, string>) => void) => {
  const store = join(temporaryHome(), ".ollama/models");
  damage(putInOllama(store, "registry.ollama.ai/library/x/latest", { model: smallModel("x") }));
  const name = what === "is not there" ? "y" : "x";
  await expect(findOllamaModel(name)).rejects.toMatchObject({ code, message: expect.stringContaining(name) });
});

test.each([
  ["no JSON", "{"],
  [
    "a digest that would lead elsewhere",
    JSON.stringify({ layers: [{ mediaType: "m", size: 1, digest: "../../x" }] }),
  ],
  ["no weights", JSON.stringify({ layers: [] })],
])("refuses an Ollama manifest with %s", async (_, manifest) => {
  const store = join(temporaryHome(), ".ollama/models");
  put(join(store, "manifests/registry.ollama.ai/library/x/latest"), manifest);
  await expect(findOllamaModel("x")).rejects.toMatchObject({ code: "SOURCE_OLLAMA" });
});

test.each(["{", "null", "[1]"])("refuses an Ollama model with the parameters %s", async (params) => {
  const store = join(temporaryHome(), ".ollama/models");
  putInOllama(store, "registry.ollama.ai/library/x/latest", { model: smallModel("x"), params });
  await expect(findOllamaModel("x")).rejects.toMatchObject({
    code: "SOURCE_OLLAMA",
    message: expect.stringContaining("Ollama's x has parameters that are not readable"),
  });
});

test("refuses an Ollama model with an adapter", async () => {
  const store = join(temporaryHome(), ".ollama/models");
  const layers = { model: smallModel("x"), adapter: "GGUF" };
  putInOllama(store, "registry.ollama.ai/library/x/latest", layers);
  await expect(findOllamaModel("x")).rejects.toMatchObject({ code: "SOURCE_OLLAMA" });
});
