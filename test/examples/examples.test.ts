import { spawn } from "node:child_process";
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

// The examples import "lorp", which Node finds in the project itself, by the package's name.
function run(
  script: string,
  ...args: string[]
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join("examples", script), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (text) => {
    output.stdout += text;
  });
  child.stderr.on("data", (text) => {
    output.stderr += text;
  });
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, ...output })));
}

test("prunes a folder, and goes on after a file that is no model", async () => {
  const folder = temporaryFolder();
  cpSync(EXAMPLE_MODEL, join(folder, "b.gguf"));
  writeFileSync(join(folder, "a.gguf"), "no model");
  const { status, stdout } = await run("prune-folder.js", folder, join(folder, "out"), "0.1");
  const [bad, good] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(status).toBe(1);
  expect(bad).toMatchObject({ name: "a.gguf", error: "GGUF_NOT_GGUF" });
  expect(good).toMatchObject({ name: "b.gguf", ratio: expect.any(Number) });
  expect(good.removed).toHaveLength(2);
  expect(existsSync(join(folder, "out", "b-small.gguf"))).toBe(true);
});

test("shows progress, and stops when the time is over", async () => {
  const done = await run("with-progress.js", EXAMPLE_MODEL, "600");
  expect(done).toMatchObject({ status: 0, stderr: expect.stringContaining("capture 100 %") });
  expect(done.stdout).toMatch(/^without 2 layers: \d+, \d+\n/);
  const stopped = await run("with-progress.js", EXAMPLE_MODEL, "0.001");
  expect(stopped).toMatchObject({ status: 1, stdout: "" });
});
