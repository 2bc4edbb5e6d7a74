import { rmSync, symlinkSync, truncateSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { describeStoredModels } from "../../src/sources/describe.ts";
import { findOllamaModel } from "../../src/sources/ollama.ts";
import { storedModels, storeOf } from "../../src/sources/stores.ts";
import { buildGguf, buildSplitGguf, str } from "../support/gguf.ts";
import { projector, put, putInHubCache, putInOllama, smallModel, temporaryHome } from "./home.ts";

const SPLIT = {
  metadata: { "general.architecture": str("llama") },
  tensors: [0, 1].map((block) => ({ name: `blk.${block}.attn_norm.weight`, shape: [8] })),
};

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
  put(part("half", 1), buildSplitGguf(SPLIT, [1, 1])[0]!);
  expect(await storedModels()).toEqual([{ store: "LM Studio", name: "user/repo/whole.gguf", path: first }]);
});

test("tells revisions in the Hugging Face cache apart, and calls a file that they share by the first", async () => {
  const cache = join(temporaryHome(), "hub");
  vi.stubEnv("HF_HUB_CACHE", cache);
  const main = putInHubCache(cache, "user/repo", "aaaa", "m.gguf", smallModel("main"));
  const dev = putInHubCache(cache, "user/repo", "bbbb", "m.gguf", smallModel("dev"), ["dev", "refs/pr/1"]);
  putInHubCache(cache, "user/repo", "bbbb", "same.gguf", smallModel("same"), []);
  const same = putInHubCache(cache, "user/repo", "aaaa", "same.gguf", smallModel("same"), []);
  const old = putInHubCache(cache, "user/repo", "cccc", "m.gguf", smallModel("old"), []);
  utimesSync(main, 1e9, 1e9);
  expect((await storedModels()).map(({ name, path }) => [name, path])).toEqual([
    ["user/repo/m.gguf", main],
    ["user/repo/m.gguf#cccc", old],
    ["user/repo/m.gguf#dev", dev],
    ["user/repo/same.gguf", same],
  ]);
});

test("follows the variables that the programs follow, and takes empty ones for none", async () => {
  const home = temporaryHome();
  const caches = join(home, "caches");
  vi.stubEnv("XDG_CACHE_HOME", caches);
  for (const name of ["HF_HOME", "HF_HUB_CACHE", "LORP_MODELS", "LLAMA_CACHE", "OLLAMA_MODELS"])
    vi.stubEnv(name, "");
  const paths = [
    put(join(caches, "lorp/models/hf/u/r/own.gguf"), smallModel("own")),
    putInHubCache(join(caches, "huggingface/hub"), "u/r", "aaaa", "hub.gguf", smallModel("hub")),
    put(join(caches, "llama.cpp/llama.gguf"), smallModel("llama")),
  ];
  expect((await storedModels()).map(({ path }) => path)).toEqual(paths);
});

test("finds what there is for a user without a home", async () => {
  const store = join(temporaryHome(), "elsewhere");
  vi.stubEnv("OLLAMA_MODELS", store);
  putInOllama(store, "registry.ollama.ai/me/mine/v1", { model: smallModel("mine") });
  for (const home of ["", "relative"]) {
    vi.stubEnv("HOME", home);
    expect((await storedModels()).map(({ name }) => name)).toContain("me/mine:v1");
  }
});

test("a whole model with a part's name is a model, a part alone is none, and no number of parts is believed", async () => {
  const home = temporaryHome();
  const folder = join(home, ".lmstudio/models/u/r");
  const whole = put(join(folder, "merged-00001-of-00003.gguf"), smallModel("whole"));
  const many = put(join(folder, "many-00001-of-99999.gguf"), smallModel("many"));
  put(join(folder, "part-00001-of-00002.gguf"), buildSplitGguf(SPLIT, [1, 1])[0]!);
  expect((await storedModels()).map(({ path }) => path)).toEqual([many, whole]);
});

test("lists no projector, and no file that is kept beside a model", async () => {
  const folder = join(temporaryHome(), ".lmstudio/models/u/r");
  put(join(folder, "mmproj-F16.gguf"), projector());
  put(join(folder, "lora.gguf"), buildGguf({ metadata: { "general.type": str("adapter") } }));
  put(join(folder, "imatrix.gguf"), buildGguf({ metadata: { "general.type": str("imatrix") } }));
  put(join(folder, "m.gguf"), smallModel("m"));
  expect((await describeStoredModels()).map(({ name }) => name)).toEqual(["u/r/m.gguf"]);
});

test("knows whose a place is, by whatever name", async () => {
  const home = temporaryHome();
  const { model = "" } = putInOllama(join(home, ".ollama/models"), "registry.ollama.ai/library/x/latest", {
    model: smallModel("x"),
  });
  symlinkSync(join(home, ".ollama"), join(home, "link"));
  symlinkSync(model, join(home, "mine.gguf"));
  expect(await storeOf(model)).toBe("Ollama");
  expect(await storeOf(join(home, "link/models/blobs/new.gguf"))).toBe("Ollama");
  // Where another environment has told it to be.
  putInOllama(join(home, "disk/ollama"), "registry.ollama.ai/library/tale/latest", {
    model: smallModel("tale"),
  });
  expect(await storeOf(join(home, "disk/ollama/blobs/new.gguf"))).toBe("Ollama");
  putInHubCache(join(home, "disk/hub"), "a/b", "0123abcd", "b.gguf", smallModel("b"));
  expect(await storeOf(join(home, "disk/hub/models--a--b/snapshots/0123abcd/new.gguf"))).toBe("Hugging Face");
  put(join(home, "disk/blobs/mine.gguf"), smallModel("mine"));
  expect(await storeOf(join(home, "disk/blobs/new.gguf"))).toBe(undefined);
  expect(await storeOf(join(home, "mine.gguf"))).toBeUndefined();
  expect(await storeOf(join(home, "none", "x.gguf"))).toBeUndefined();
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
  expect(second).toMatchObject({ name: "u/r/half.gguf", problem: expect.stringContaining("half.gguf") });
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

test.each(["{", "null", "[1]", '{"a":{}}', '{"a":null}', '{"temperature 1\\nSYSTEM \\"x\\"":1}'])(
  "refuses an Ollama model with the parameters %s",
  async (params) => {
    const store = join(temporaryHome(), ".ollama/models");
    putInOllama(store, "registry.ollama.ai/library/x/latest", { model: smallModel("x"), params });
    await expect(findOllamaModel("x")).rejects.toMatchObject({
      code: "SOURCE_OLLAMA",
      message: expect.stringContaining("Ollama's x has parameters that are not readable"),
    });
  },
);

test("refuses an Ollama model with an adapter", async () => {
  const store = join(temporaryHome(), ".ollama/models");
  const layers = { model: smallModel("x"), adapter: "GGUF" };
  putInOllama(store, "registry.ollama.ai/library/x/latest", layers);
  await expect(findOllamaModel("x")).rejects.toMatchObject({ code: "SOURCE_OLLAMA" });
});
