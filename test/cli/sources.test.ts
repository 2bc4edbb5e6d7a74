import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandLine } from "../../src/cli/command-line.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { serveFiles } from "../sources/file-server.ts";
import { put, putInOllama, smallModel, temporaryHome } from "../sources/home.ts";
import { lorp } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/gguf.ts";

const quick = ["--gpu", "off", "--threads", "1", "--sequences", "1", "--sequence-length", "32"];
const example = readFileSync(EXAMPLE_MODEL);

test("prunes what Ollama keeps, into the current folder, and gives it back to Ollama", async () => {
  const store = join(temporaryHome(), ".ollama/models");
  putInOllama(store, "registry.ollama.ai/library/books/20l", {
    model: example,
    template: "{{ .Prompt }}",
    params: { stop: ["THE END"] },
  });
  const cwd = temporaryFolder();
  const args = [
    "prune",
    "ollama:books:20l",
    "--layers",
    "5,6",
    "--modelfile",
    "--model-card",
    "--json",
    ...quick,
  ];
  const { status, stdout, stderr } = await lorp(args, { cwd });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const report = JSON.parse(stdout);
  expect(report.output.path).toBe("books-20l-pruned-2of20.gguf");
  expect(report.command).toBe(["lorp", ...args].join(" "));
  const modelfile = readFileSync(join(cwd, "Modelfile"), "utf8");
  expect(modelfile).toContain("FROM ./books-20l-pruned-2of20.gguf\n");
  expect(modelfile).toContain('TEMPLATE """{{ .Prompt }}"""\nPARAMETER stop "THE END"\n');
  expect(readFileSync(join(cwd, "README.md"), "utf8")).toContain("# Books 20L, pruned to 18 of 20 layers");
  const { metadata } = await readGguf(join(cwd, report.output.path));
  const value = (key: string) => metadata.get(key)?.decode().value;
  expect(value("general.name")).toBe("Books 20L, pruned to 18 of 20 layers");
  expect(value("general.base_model.0.name")).toBe("Books 20L");
});

test("a model to compare with may be named like any other", async () => {
  const store = join(temporaryHome(), ".ollama/models");
  putInOllama(store, "registry.ollama.ai/library/books/20l", { model: example });
  const same = await lorp(["diff", EXAMPLE_MODEL, "ollama:books:20l", "--json"]);
  expect(JSON.parse(same.stdout).tensors.changed).toEqual([]);
  const scored = ["eval", EXAMPLE_MODEL, "--against", "ollama:books:20l", "--json", ...quick];
  expect(JSON.parse((await lorp(scored)).stdout).texts[0].base.perplexityRatio).toBe(1);
});

test("does not write over a README.md that is there, and says so before the work", async () => {
  temporaryHome();
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, "README.md"), "mine");
  const args = ["prune", EXAMPLE_MODEL, "--layers", "5", "-o", "out.gguf", "--model-card", ...quick];
  const { status, stderr } = await lorp(args, { cwd });
  expect(status).toBe(1);
  expect(stderr).toBe("lorp: README.md exists already; choose another name or pass --force.\n");
  expect(existsSync(join(cwd, "out.gguf"))).toBe(false);
});

test("downloads what is needed, with the token, and lists it afterwards", async () => {
  temporaryHome();
  const hub = await serveFiles(
    { "/user/repo/resolve/main/m.gguf": smallModel("M", 7) },
    ({ headers }, response) => {
      if (headers.authorization === "Bearer secret") return false;
      response.writeHead(401).end();
      return true;
    },
  );
  const env = { HF_ENDPOINT: hub.url };
  const denied = await lorp(["inspect", "hf:user/repo/m.gguf"], { env });
  expect(denied).toMatchObject({ status: 1, stderr: expect.stringContaining("--hf-token") });
  const given = await lorp(["inspect", "hf:user/repo/m.gguf", "--hf-token", "secret", "--json"], { env });
  expect(JSON.parse(given.stdout).model).toMatchObject({ name: "M", blockCount: 7 });
  expect(given.stderr).toContain("Downloading 100 %");
  const listed = await lorp(["ls"]);
  expect(listed.stdout).toMatch(/^user\/repo\/m\.gguf +\S+ [kM]?B +7 +llama +lorp$/m);
});

test("says what differs between two files", async () => {
  const folder = temporaryFolder();
  const first = put(join(folder, "a.gguf"), smallModel("A"));
  const second = put(join(folder, "b.gguf"), smallModel("B"));
  const { status, stdout } = await lorp(["diff", first, second, "-q", "--json"]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    tensors: { same: 5, changed: [] },
    metadata: { changed: ["general.name"] },
  });
  const text = await lorp(["diff", first, second]);
  expect(text.stdout).toContain("metadata: 2 the same, 1 changed\n  general.name changed\n");
});

test("goes on with a text", async () => {
  const { status, stdout, stderr } = await lorp([
    "chat",
    EXAMPLE_MODEL,
    "-p",
    "It was",
    "--max-tokens",
    "4",
    "--gpu",
    "off",
    "--threads",
    "1",
  ]);
  expect({ status, stderr }).toMatchObject({
    status: 0,
    stderr: expect.stringContaining("no chat template"),
  });
  expect(stdout).toMatch(/\w+/);
});

test("a command line in a document can be typed again, and has no token in it", () => {
  expect(commandLine(["prune", "my model.gguf", "--hf-token", "secret", "--remove", "5"])).toBe(
    "lorp prune 'my model.gguf' --remove 5",
  );
  expect(commandLine(["ls", "--hf-token=secret", "it's"])).toBe("lorp ls 'it'\\''s'");
});
