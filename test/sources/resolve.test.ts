import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { resolveModel } from "../../src/sources/resolve.ts";
import { type Misbehaviour, serveFiles } from "./file-server.ts";
import { projector, put, putInHubCache, putInOllama, smallModel, temporaryHome } from "./home.ts";

/** A Hub with one repository whose tag Q4_K_M means the named file. */
async function startHub(names: readonly string[], misbehave: Misbehaviour = () => false) {
  const manifest = Buffer.from(JSON.stringify({ ggufFile: { rfilename: names[0] } }));
  const files = Object.fromEntries(
    names.map((name) => [`/user/repo/resolve/main/${name}`, smallModel(name)] as const),
  );
  const server = await serveFiles({ ...files, "/v2/user/repo/manifests/Q4_K_M": manifest }, misbehave);
  vi.stubEnv("HF_ENDPOINT", server.url);
  return server;
}

test("takes a path as it is", async () => {
  const path = put(join(temporaryHome(), "folder", "m-Q8_0.gguf"), smallModel("m"));
  expect(await resolveModel(path)).toEqual({ path, name: "m-Q8_0", kept: false, description: path });
});

test("downloads what a tag of the Hub means, once", async () => {
  const home = temporaryHome();
  const { requests } = await startHub(["m-Q4_K_M.gguf"]);
  const model = await resolveModel("hf:user/repo:Q4_K_M");
  expect(model).toMatchObject({ name: "m-Q4_K_M", repository: "user/repo" });
  expect(model.path).toBe(join(home, ".cache/lorp/models/hf/user/repo/m-Q4_K_M.gguf"));
  expect(readFileSync(model.path).equals(smallModel("m-Q4_K_M.gguf"))).toBe(true);
  const asked = requests.length;
  expect((await resolveModel("hf:user/repo:Q4_K_M")).path).toBe(model.path);
  expect((await resolveModel("hf:user/repo/m-Q4_K_M.gguf")).path).toBe(model.path);
  expect((await resolveModel("m-Q4_K_M")).path).toBe(model.path);
  expect(requests).toHaveLength(asked);
});

test("downloads all parts of a split model, and those that were missing after a break", async () => {
  const home = temporaryHome();
  const names = [1, 2, 3].map((no) => `m-0000${no}-of-00003.gguf`);
  let failing = true;
  await startHub(names, (request, response) => {
    if (!failing || !request.url?.includes("00002") || request.headers.range === "bytes=0-0") return false;
    response.writeHead(410).end();
    return true;
  });
  await expect(resolveModel("hf:user/repo:Q4_K_M")).rejects.toMatchObject({ code: "DOWNLOAD_NOT_FOUND" });
  failing = false;
  const { path, name } = await resolveModel("hf:user/repo:Q4_K_M");
  expect(name).toBe("m");
  expect(path).toBe(join(home, ".cache/lorp/models/hf/user/repo", names[0] ?? ""));
  for (const part of names) {
    expect(readFileSync(join(home, ".cache/lorp/models/hf/user/repo", part)).equals(smallModel(part))).toBe(
      true,
    );
  }
});

test("finds a Hub reference in Hugging Face's own cache without asking the Hub", async () => {
  const cache = join(temporaryHome(), ".cache/huggingface/hub");
  const { requests } = await startHub([]);
  const path = putInHubCache(cache, "user/repo", "abc", "repo-Q4_K_M.gguf", smallModel("m"));
  putInHubCache(cache, "user/repo", "abc", "repo-Q4_K_M_L.gguf", smallModel("l"));
  putInHubCache(cache, "user/repo", "abc", "repo-UD-Q4_K_M.gguf", smallModel("ud"));
  expect((await resolveModel("hf:user/repo:Q4_K_M")).path).toBe(path);
  expect((await resolveModel("hf:USER/repo/repo-q4_k_m.gguf")).path).toBe(path);
  expect(requests).toEqual([]);
});

test.each([
  ["a projector", "mmproj-repo-Q4_K_M.gguf", projector()],
  ["a projector that is called as the model would be", "repo-Q4_K_M.gguf", projector()],
  ["a model of another tag that ends alike", "repo-I-Q4_K_M.gguf", smallModel("I")],
])("asks the Hub where its cache has only %s", async (_, file, content) => {
  const cache = join(temporaryHome(), ".cache/huggingface/hub");
  putInHubCache(cache, "user/repo", "abc", file, content);
  await startHub(["m-Q4_K_M.gguf"]);
  const { path } = await resolveModel("hf:user/repo:Q4_K_M");
  expect(readFileSync(path).equals(smallModel("m-Q4_K_M.gguf"))).toBe(true);
});

test("takes the only model of a repository at hand where no tag is given and the Hub cannot be reached", async () => {
  const cache = join(temporaryHome(), ".cache/huggingface/hub");
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:1");
  const path = putInHubCache(cache, "user/repo", "abc", "repo-Q4_K_M.gguf", smallModel("m"));
  putInHubCache(cache, "user/repo", "abc", "mmproj-repo.gguf", projector());
  expect(await resolveModel("hf:user/repo")).toMatchObject({
    path,
    repository: "user/repo",
    description: expect.stringContaining("the only copy at hand"),
  });
  const unreachable = { code: "DOWNLOAD_UNREACHABLE" };
  await expect(resolveModel("hf:user/repo:Q8_0")).rejects.toMatchObject(unreachable);
  putInHubCache(cache, "user/repo", "abc", "repo-Q8_0.gguf", smallModel("n"));
  await expect(resolveModel("hf:user/repo")).rejects.toMatchObject(unreachable);
});

test("takes of several revisions in the cache the one that is meant, without asking the Hub", async () => {
  const cache = join(temporaryHome(), ".cache/huggingface/hub");
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:1");
  const main = putInHubCache(cache, "user/repo", "aaaa", "m.gguf", smallModel("main"));
  const dev = putInHubCache(cache, "user/repo", "bbbb", "m.gguf", smallModel("dev"), ["dev"]);
  expect((await resolveModel("hf:user/repo/m.gguf")).path).toBe(main);
  expect((await resolveModel("hf:user/repo/m.gguf#dev")).path).toBe(dev);
  expect((await resolveModel("hf:user/repo/m.gguf#bbbb")).path).toBe(dev);
  expect((await resolveModel("m.gguf#dev")).path).toBe(dev);
  await expect(resolveModel("hf:user/repo/m.gguf#other")).rejects.toMatchObject({
    code: "DOWNLOAD_UNREACHABLE",
  });
});

test.each([
  ["hf_secretsecret\nx", "a line break"],
  ["hf_secret secret", "a space"],
  ["hf_secretsecret\u201d", "a character"],
])("refuses a token with %j without repeating it", async (token, what) => {
  temporaryHome();
  const { requests } = await startHub(["m.gguf"]);
  vi.stubEnv("HF_TOKEN", token);
  const error = await resolveModel("hf:user/repo:Q4_K_M").catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "SOURCE_TOKEN", message: expect.stringContaining(what) });
  expect(String((error as Error).stack)).not.toContain("secret");
  expect(requests).toEqual([]);
});

test("takes a token with the line break of its file, and sends none where others could read it", async () => {
  temporaryHome();
  const { requests } = await startHub(["m.gguf"]);
  vi.stubEnv("HF_TOKEN", "good\n");
  await resolveModel("hf:user/repo:Q4_K_M");
  expect(requests.every(({ authorization }) => authorization === "Bearer good")).toBe(true);
  vi.stubEnv("HF_ENDPOINT", "http://mirror.example");
  await expect(resolveModel("hf:user/repo:Q8_0")).rejects.toMatchObject({
    code: "SOURCE_TOKEN",
    message: expect.not.stringContaining("good"),
  });
});

test("tells addresses apart that would be one name", async () => {
  temporaryHome();
  const names = ["a b.gguf", "a-b.gguf", "a%20b.gguf"];
  const { url } = await serveFiles(
    Object.fromEntries(names.map((name) => [`/${encodeURIComponent(name)}`, smallModel(name)])),
  );
  for (const name of names) {
    const { path, name: called } = await resolveModel(`${url}/${encodeURIComponent(name)}`);
    expect(readFileSync(path).equals(smallModel(name))).toBe(true);
    expect(called).toMatch(/^[\w-]+$/);
  }
});

test("a blob of Ollama's is the model that Ollama calls by name, and nothing is to be written beside it", async () => {
  const store = join(temporaryHome(), ".ollama/models");
  const { model = "" } = putInOllama(store, "registry.ollama.ai/library/llama3.2/3b", {
    model: smallModel("llama"),
    system: "Be brief.",
  });
  const expected = { path: model, name: "llama3.2-3b", kept: true, ollama: { system: "Be brief." } };
  expect(await resolveModel(model)).toMatchObject(expected);
  const lost = put(join(store, "blobs/sha256-abc"), smallModel("lost"));
  expect(await resolveModel(lost)).toMatchObject({ path: lost, name: "sha256-abc", kept: true });
});

test.each([
  ["--hf-token", "good", undefined],
  ["HF_TOKEN", undefined, "good"],
])("gives the Hub the token of %s", async (_, hfToken, environment) => {
  temporaryHome();
  vi.stubEnv("HF_TOKEN", environment);
  const { requests } = await startHub(["m.gguf"], ({ headers }, response) => {
    if (headers.authorization === "Bearer good") return false;
    response.writeHead(401).end();
    return true;
  });
  await resolveModel("hf:user/repo:Q4_K_M", { hfToken });
  expect(requests.length).toBeGreaterThan(2);
  const denied = resolveModel("hf:user/other", { hfToken: "bad" });
  await expect(denied).rejects.toMatchObject({
    code: "DOWNLOAD_DENIED",
    message: expect.stringMatching(/user\/other.*`hfToken`/),
  });
});

test.each([
  ["hf:user/repo:Q1", "DOWNLOAD_NOT_FOUND"],
  ["hf:user/repo/none.gguf", "DOWNLOAD_NOT_FOUND"],
])("says that %s is not there", async (reference, code) => {
  temporaryHome();
  await startHub(["m.gguf"]);
  await expect(resolveModel(reference)).rejects.toMatchObject({ code });
});

test("downloads an address, never with the Hub's token", async () => {
  const home = temporaryHome();
  vi.stubEnv("HF_TOKEN", "secret");
  const { url, requests } = await serveFiles({ "/folder/m.gguf": smallModel("m") });
  const { path, name, description } = await resolveModel(`${url}/folder/m.gguf`);
  expect(path).toBe(join(home, ".cache/lorp/models", new URL(url).host.replace(":", "%3A"), "folder/m.gguf"));
  expect({ name, description }).toEqual({ name: "m", description: `${url}/folder/m.gguf` });
  expect(requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
});

test("keeps the files of one address with several queries apart, without the query's words", async () => {
  const home = temporaryHome();
  const files = { "/download?id=1": smallModel("1"), "/download?id=2": smallModel("2") };
  const { url, requests } = await serveFiles(files);
  const one = await resolveModel(`${url}/download?id=1`);
  const two = await resolveModel(`${url}/download?id=2`);
  expect(readFileSync(one.path).equals(smallModel("1"))).toBe(true);
  expect(readFileSync(two.path).equals(smallModel("2"))).toBe(true);
  expect(one).toMatchObject({ name: "download", description: `${url}/download` });
  expect(one.path.startsWith(join(home, ".cache/lorp/models"))).toBe(true);
  expect(one.path).not.toContain("id");
  const asked = requests.length;
  expect((await resolveModel(`${url}/download?id=1`)).path).toBe(one.path);
  expect(requests).toHaveLength(asked);
});

test("cannot be led out of its folder by an address", async () => {
  const home = temporaryHome();
  const { url } = await serveFiles({ "/..%2F..%2Fm.gguf": smallModel("m") });
  const { path } = await resolveModel(`${url}/..%2F..%2Fm.gguf`);
  expect(path.startsWith(join(home, ".cache/lorp/models"))).toBe(true);
});

test("says that a machine without a network cannot reach the Hub", async () => {
  temporaryHome();
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:1");
  await expect(resolveModel("hf:user/repo:Q4_K_M")).rejects.toMatchObject({ code: "DOWNLOAD_UNREACHABLE" });
});

test("brings along what Ollama keeps beside the weights", async () => {
  const store = join(temporaryHome(), ".ollama/models");
  const { model } = putInOllama(store, "registry.ollama.ai/library/llama3.2/3b", {
    model: smallModel("llama"),
    template: "{{ .Prompt }}",
  });
  const expected = {
    path: model,
    name: "llama3.2-3b",
    ollama: { template: "{{ .Prompt }}", parameters: {} },
  };
  expect(await resolveModel("ollama:llama3.2:3b")).toMatchObject(expected);
  expect(await resolveModel("llama3.2:3b")).toMatchObject(expected);
});

test("finds a model by as much of its name as is needed", async () => {
  const studio = join(temporaryHome(), ".lmstudio/models");
  const one = put(join(studio, "one/repo/m.gguf"), smallModel("1"));
  put(join(studio, "two/repo/m.gguf"), smallModel("2"));
  expect((await resolveModel("one/repo/M")).path).toBe(one);
  await expect(resolveModel("repo/m.gguf")).rejects.toMatchObject({
    code: "SOURCE_AMBIGUOUS",
    message: expect.stringMatching(/one\/repo\/m\.gguf \(LM Studio\), two/),
  });
  const whole = put(join(studio, "repo/m.gguf"), smallModel("3"));
  expect((await resolveModel("repo/m.gguf")).path).toBe(whole);
  await expect(resolveModel("other.gguf")).rejects.toMatchObject({
    code: "SOURCE_NOT_FOUND",
    message: expect.stringContaining("other.gguf"),
  });
  const granite = put(join(studio, "ibm/granite/granite-tiny.gguf"), smallModel("4"));
  expect((await resolveModel("granite-tiny")).path).toBe(granite);
  await expect(resolveModel("granit-tiny.gguf")).rejects.toThrow("Did you mean granite-tiny.gguf?");
});

test("takes every name of an Ollama model that is listed, before the Hub is asked", async () => {
  const store = join(temporaryHome(), ".ollama/models");
  const { requests } = await startHub([]);
  const names = {
    "registry.ollama.ai/library/books/latest": "books:latest",
    "registry.ollama.ai/me/mine/latest": "me/mine:latest",
    "hf.co/user/repo/Q4_K_M": "hf.co/user/repo:Q4_K_M",
  };
  for (const [manifest, name] of Object.entries(names)) {
    const { model } = putInOllama(store, manifest, { model: smallModel(name) });
    expect(await resolveModel(name)).toMatchObject({ path: model, description: `${name} of Ollama` });
  }
  expect((await resolveModel("books")).description).toBe("books:latest of Ollama");
  expect(requests).toEqual([]);
  await expect(resolveModel("hf:user/repo:Q4_K_M")).rejects.toMatchObject({ code: "DOWNLOAD_NOT_FOUND" });
});
