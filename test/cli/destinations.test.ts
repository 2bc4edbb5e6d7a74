import { execFileSync, spawn } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { putInOllama, temporaryHome } from "../sources/home.ts";
import { lorp, MAIN } from "../support/cli.ts";
import { temporaryFolder } from "../support/folder.ts";
import { buildGguf, buildSplitGguf, str, u32, writeParts } from "../support/gguf.ts";

/** A model that lorp can describe and llama.cpp cannot load: what is refused by name is refused before the work. */
const fixture = {
  metadata: { "general.architecture": str("llama"), "llama.block_count": u32(5) },
  tensors: [0, 1, 2, 3, 4].map((block) => ({ name: `blk.${block}.attn_norm.weight`, shape: [8] })),
};
const similarity = [0, 1, 2, 3, 4].map((i) => [0, 1, 2, 3, 4].map((j) => 1 - Math.abs(i - j) / 10));
const analysis = JSON.stringify({ schemaVersion: 1, model: { blockCount: 5 }, similarity });

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
writeFileSync(at("m.gguf"), buildGguf(fixture));
writeParts(folder, "s", buildSplitGguf(fixture, [3, 2]));
linkSync(at("m.gguf"), at("hard.gguf"));
symlinkSync("m.gguf", at("soft.gguf"));
for (const name of ["a.txt", "b.txt", "lorp.json"])
  writeFileSync(at(name), name === "lorp.json" ? "{}" : name);
writeFileSync(at("an.json"), analysis);
writeFileSync(at("m-pruned-2of5.gguf"), "mine");
const hasPipes = process.platform !== "win32";
if (hasPipes) execFileSync("mkfifo", [at("pipe")]);
await lorp(["plan", "an.json", "--remove", "2", "-o", "plan.json"], { cwd: folder });

const INPUT = /the input itself/;
const EXISTS = /exists already; choose another name or pass --force/;
const TWICE = /written twice/;
const FOLDER = /The folder of \S+ does not exist/;
const prune = "prune m.gguf --remove 1";

test.each([
  ["analyze m.gguf -o m.gguf", INPUT],
  ["analyze m.gguf -o hard.gguf", INPUT],
  ["analyze m.gguf --report soft.gguf", INPUT],
  ["analyze s-00001-of-00002.gguf -o s-00002-of-00002.gguf", INPUT],
  ["analyze m.gguf --calibration a.txt -o a.txt", INPUT],
  ["analyze m.gguf --config lorp.json -o lorp.json", INPUT],
  ["analyze m.gguf -o x --report x", TWICE],
  ["analyze m.gguf -o none/c.json", FOLDER],
  ["compare m.gguf --remove 1 -o m.gguf", INPUT],
  ["compare m.gguf --remove 1 --text a.txt b.txt -o b.txt", INPUT],
  ["compare m.gguf --remove 1 -o none/c.json", FOLDER],
  ["plan an.json --remove 1 -o an.json", INPUT],
  ["report an.json -o an.json", INPUT],
  ["apply m.gguf plan.json --force -o plan.json", INPUT],
  ["apply m.gguf plan.json --repair bridge", /m-pruned-2of5\.gguf exists already/],
  ["apply m.gguf plan.json --repair bridge -o none/x.gguf", FOLDER],
  [`${prune} --dry-run --report m.gguf`, INPUT],
  [`${prune} --force --modelfile m.gguf`, INPUT],
  [`${prune} --calibration a.txt --force -o a.txt`, INPUT],
  ["prune s-00001-of-00002.gguf --remove 1 --force --modelfile s-00002-of-00002.gguf", INPUT],
  ["prune s-00001-of-00002.gguf --remove 1 --report s-00002-of-00002.gguf", INPUT],
  [`${prune} -o x --modelfile x`, TWICE],
  [`${prune} -o x --report x`, TWICE],
  [`${prune} -o x --model-card x`, TWICE],
  [`${prune} -o x --report y --model-card y`, TWICE],
  [`${prune} --report m-pruned-1of5.gguf`, TWICE],
  [`${prune} -o none/x.gguf`, FOLDER],
  [`${prune} -o x --modelfile none/Modelfile`, FOLDER],
  [`${prune} -o x --report none/x.html`, FOLDER],
  ["plan an.json --remove 1 -o hard.gguf", EXISTS],
  ["report an.json -o hard.gguf", EXISTS],
  ["analyze m.gguf -o plan.json", EXISTS],
  ["analyze m.gguf --report plan.json", EXISTS],
  ["compare m.gguf --remove 1 -o plan.json", EXISTS],
  [`${prune} -o x --report plan.json`, EXISTS],
  [`${prune} -o x-00001-of-00002.gguf`, /the name of one of several parts/],
  ["prune m.gguf --remove 2", /m-pruned-2of5\.gguf exists already/],
  ["prune m.gguf --ratio 0.4", /m-pruned-2of5\.gguf exists already/],
  ["prune m.gguf --layers 1,3", /m-pruned-2of5\.gguf exists already/],
  ["prune m.gguf --remove 1 --method nosuch", /no method "nosuch"/],
])("lorp %s is refused at once", async (line, message) => {
  const contents = () =>
    readdirSync(folder)
      .filter((name) => name !== "pipe")
      .map((name) => [name, readFileSync(at(name), "latin1")]);
  const before = contents();
  const { status, stderr } = await lorp(line.split(" "), { cwd: folder });
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain("internal error");
  expect(status).not.toBe(0);
  expect(contents()).toEqual(before);
});

test("a system prompt that no Modelfile can hold is refused before the work", async () => {
  const store = join(temporaryHome(), ".ollama/models");
  const model = buildGguf(fixture);
  putInOllama(store, "registry.ollama.ai/library/quoted/1", { model, system: 'Say "yes"' });
  mkdirSync(at("empty"));
  const args = ["prune", "ollama:quoted:1", "--remove", "1", "--modelfile"];
  const { stderr } = await lorp(args, { cwd: at("empty") });
  expect(stderr).toMatch(/Modelfile cannot hold this model's SYSTEM/);
  expect(readdirSync(at("empty"))).toEqual([]);
});

test.runIf(hasPipes)("a document is read from a pipe, and a page written into one", async () => {
  const line = 'cat an.json | "$0" "$1" report /dev/stdin -o pipe';
  const child = spawn("sh", ["-c", line, process.execPath, MAIN], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const status = new Promise((resolve) => child.once("close", resolve));
  const [page, end] = await Promise.all([readFile(at("pipe"), "utf8"), status]);
  expect(page).toMatch(/^<!doctype html>/);
  expect(end).toBe(0);
});

test.skipIf(!hasPipes)("where a file may not grow, that is said and nothing is left", async () => {
  const before = readdirSync(folder);
  const command = `ulimit -f 4; exec "${process.execPath}" "${MAIN}" report "${at("an.json")}" -o "${at("large.html")}"`;
  const run = spawn("bash", ["-c", command], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  run.stderr.on("data", (text) => {
    stderr += text;
  });
  const status = await new Promise((resolve) => run.on("close", resolve));
  expect([status, stderr]).toEqual([1, expect.stringContaining("large.html cannot be written: EFBIG")]);
  expect(readdirSync(folder)).toEqual(before);
});
