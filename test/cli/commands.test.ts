import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { lorp, MAIN } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const quick = ["--gpu", "off", "--threads", "1", "--sequences", "2", "--sequence-length", "64"];

test("lorp alone shows a newcomer where to begin", async () => {
  const { status, stdout } = await lorp([]);
  expect(status).toBe(0);
  expect(stdout).toContain("lorp prune model.gguf --remove 5");
});

// npx only makes it executable where it has not met a clone at this path before.
test.skipIf(process.platform === "win32")("what was built can be run as a command", () => {
  expect(statSync(MAIN).mode & 0o111).toBe(0o111);
});

test("analyze, plan and apply by hand make what prune makes", async () => {
  const analyzed = await lorp(["analyze", EXAMPLE_MODEL, ...quick, "-o", at("analysis.json")]);
  expect(analyzed.status).toBe(0);
  expect(analyzed.stdout).toMatch(/locality score \d\.\d+/);
  const planned = await lorp(["plan", at("analysis.json"), "--remove", "4", "-o", at("plan.json"), "--json"]);
  const plan = JSON.parse(planned.stdout);
  expect(JSON.parse(readFileSync(at("plan.json"), "utf8"))).toEqual(plan);
  const applied = await lorp(["apply", EXAMPLE_MODEL, at("plan.json"), "-o", at("by-hand.gguf")]);
  expect(applied.status).toBe(0);

  const pruned = await lorp([
    "prune",
    EXAMPLE_MODEL,
    "--remove",
    "4",
    "--method",
    "lorp",
    ...quick,
    "-o",
    at("at-once.gguf"),
    "--json",
  ]);
  const report = JSON.parse(pruned.stdout);
  expect(report.plan.removedLayers).toEqual(plan.removedLayers);
  expect(report.perplexity.pruned).toBeGreaterThan(report.perplexity.original);
  expect(readFileSync(at("at-once.gguf")).equals(readFileSync(at("by-hand.gguf")))).toBe(true);
});

test("prune without a budget shows what can be chosen from, and writes nothing", async () => {
  const input = at("undecided.gguf");
  writeFileSync(input, readFileSync(EXAMPLE_MODEL));
  const before = readdirSync(folder);
  const shown = await lorp(["prune", input, "--method", "lorp", ...quick]);
  expect(shown.status).toBe(0);
  expect(shown.stdout).toMatch(/remove +layers +size +speed .*verdict/);
  for (let budget = 1; budget <= 6; budget++) {
    expect(shown.stdout).toMatch(new RegExp(`^${budget} .*MB +× 1\\.\\d+ `, "m"));
    expect(shown.stderr).toMatch(new RegExp(`^${budget} by lorp, .*: KL divergence`, "m"));
  }
  expect(shown.stdout).toContain("Nothing is written.");
  expect(readdirSync(folder)).toEqual(before);
  const { candidates } = JSON.parse(
    (await lorp(["compare", input, "--methods", "lorp", "--remove", "4", ...quick, "--json"])).stdout,
  );
  const written = await lorp(["prune", input, "--method", "lorp", "--remove", "4", ...quick, "--json"]);
  const { output, plan } = JSON.parse(written.stdout);
  expect(candidates).toMatchObject([{ removedLayers: plan.removedLayers, bytes: output.bytes }]);
});

test("an Analysis written by hand needs three fields", async () => {
  const similarity = [0, 1, 2, 3, 4].map((i) => [0, 1, 2, 3, 4].map((j) => 1 - Math.abs(i - j) / 10));
  writeFileSync(at("hand.json"), JSON.stringify({ schemaVersion: 1, model: { blockCount: 5 }, similarity }));
  const { status, stdout } = await lorp(["plan", at("hand.json"), "--remove", "2", "--json"]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ method: "lorp", budget: 2, k: 4 });
});

test("the output's default name says what was done", async () => {
  const input = at("mine.gguf");
  writeFileSync(input, readFileSync(EXAMPLE_MODEL));
  const { status, stdout, stderr } = await lorp(["prune", input, "--layers", "4,6", ...quick]);
  expect([status, stderr.includes("internal error")]).toEqual([0, false]);
  expect(stdout).toContain("mine-pruned-2of20.gguf");
  expect(
    (await readGguf(at("mine-pruned-2of20.gguf"))).metadata.get("llama.block_count")?.decode().value,
  ).toBe(18);
});

test("inspect adds up to the file", async () => {
  const { stdout } = await lorp(["inspect", EXAMPLE_MODEL, "--json"]);
  const { model, blocks, rest, savings } = JSON.parse(stdout);
  const bytes = blocks.reduce((sum: number, block: { bytes: number }) => sum + block.bytes, rest.bytes);
  expect(bytes).toBe(readFileSync(EXAMPLE_MODEL).length);
  expect(rest.parts.reduce((sum: number, part: { bytes: number }) => sum + part.bytes, 0)).toBe(rest.bytes);
  expect(model).toMatchObject({ architecture: "llama", blockCount: 20 });
  expect(savings).toHaveLength(18);
});

test("--quiet prints nothing, and with --json the document alone", async () => {
  const quiet = await lorp(["analyze", EXAMPLE_MODEL, ...quick, "--quiet"]);
  expect([quiet.status, quiet.stdout, quiet.stderr]).toEqual([0, "", ""]);
  const both = await lorp(["analyze", EXAMPLE_MODEL, ...quick, "--quiet", "--json"]);
  expect(both.stderr).toBe("");
  expect(JSON.parse(both.stdout).similarity).toHaveLength(20);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s ends it with status 130 and leaves nothing", async (signal) => {
  const output = at("interrupted.gguf");
  const { status, stdout } = await lorp(
    ["prune", EXAMPLE_MODEL, "--remove", "5", "--gpu", "off", "-o", output],
    {
      started: (child) => {
        child.stderr!.once("data", () => child.kill(signal));
      },
    },
  );
  expect(status).toBe(130);
  expect(stdout).toBe("");
  expect(existsSync(output)).toBe(false);
  expect(readdirSync(folder).filter((name) => name.includes(".tmp"))).toEqual([]);
});

test("--quantize quantises what was cut, once", async () => {
  const twice = await lorp(["prune", EXAMPLE_MODEL, "--layers", "4", "--quantize", "q4_0", ...quick]);
  expect([twice.status, twice.stderr]).toEqual([
    1,
    expect.stringMatching(/quantised already.*--allow-requantize/),
  ]);
  const split = await lorp([
    "prune",
    EXAMPLE_MODEL,
    "--layers",
    "4",
    "--quantize",
    "q4_0",
    "--keep-split",
    "--allow-requantize",
  ]);
  expect([split.status, split.stderr]).toEqual([2, expect.stringMatching(/--keep-split/)]);
  const options = [
    "--layers",
    "4,6",
    "--quantize",
    "q4_0",
    "--allow-requantize",
    "-o",
    at("q4.gguf"),
    ...quick,
  ];
  expect((await lorp(["prune", EXAMPLE_MODEL, ...options])).status).toBe(0);
  const file = await readGguf(at("q4.gguf"));
  expect(file.metadata.get("lorp.removed_layers")?.decode().value).toEqual([4, 6]);
  expect(file.tensors.find(({ name }) => name === "blk.17.ffn_up.weight")?.typeName).toBe("Q4_0");
  expect(readdirSync(folder).filter((name) => name.includes(".tmp"))).toEqual([]);
});

test("--report and lorp report write a page", async () => {
  const args = ["analyze", EXAMPLE_MODEL, ...quick, "-o", at("shown.json"), "--report", at("at-once.html")];
  expect((await lorp(args)).status).toBe(0);
  expect((await lorp(["report", at("shown.json")])).status).toBe(0);
  const page = readFileSync(at("shown.html"), "utf8");
  expect(page).toMatch(/^<!doctype html>[\s\S]*Books 20L/);
  expect(readFileSync(at("at-once.html"), "utf8")).toContain("Books 20L");
});

test.skipIf(process.platform === "win32")(
  "a reader that goes away ends it quietly; a full disk is told",
  async () => {
    const shell = (line: string) =>
      new Promise<{ code: number; stderr: string }>((resolve) => {
        execFile("bash", ["-c", line], { env: { ...process.env, MAIN } }, (error, _, stderr) =>
          resolve({ code: Number(error?.code ?? 0), stderr }),
        );
      });
    const gone = `node "$MAIN" methods | true; exit "\${PIPESTATUS[0]}"`;
    expect(await shell(gone)).toEqual({ code: 0, stderr: "" });
    if (!existsSync("/dev/full")) return;
    expect(await shell('node "$MAIN" methods > /dev/full')).toEqual({
      code: 1,
      stderr: "lorp: The output cannot be written (ENOSPC); send it elsewhere.\n",
    });
  },
);
