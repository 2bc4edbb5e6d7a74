import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { complete } from "../../src/cli/help/candidates.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { lorp, MAIN } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const program = await buildProgram();
const layers = async () => ["1", "2", "10", "11"];
const completed = (...words: string[]) => complete(program, words, { "--layers": layers });

test.each([
  [["pru"], ["prune"]],
  [["--ver"], ["--version"]],
  [["prune", "m.gguf", "--gpu", "c"], ["cuda"]],
  [["prune", "m.gguf", "--gpu", "=", "me"], ["metal"]],
  [["prune", "m.gguf", "--dry"], ["--dry-run"]],
  [["prune", "m.gguf", "--dry-run", "--dry"], []],
  [
    ["prune", "m.gguf", "--layers", ""],
    ["1", "2", "10", "11"],
  ],
  [
    ["prune", "m.gguf", "--layers", "5,1"],
    ["5,1", "5,10", "5,11"],
  ],
  [
    ["prune", "m.gguf", "--layers", "1-1"],
    ["1-1", "1-10", "1-11"],
  ],
  [["prune", "mod"], []],
  [["prune", "m.gguf", "-o", "out"], []],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["nothing", ""], []],
])("completes %j", async (words, expected) => {
  expect(await completed(...words)).toEqual(expected);
});

test("knows every command, and none that help hides", async () => {
  expect(await completed("")).toContain("man");
  expect(await completed("")).not.toContain("complete");
});

test("knows methods and a model's layers", async () => {
  const methods = await lorp(["complete", "--", "prune", "--method", "short"]);
  expect(methods.stdout).toBe("shortgpt\n");
  const numbers = await lorp(["complete", "--", "prune", EXAMPLE_MODEL, "--layers", ""]);
  expect(numbers.stdout.trim().split("\n")).toEqual(Array.from({ length: 20 }, (_, layer) => String(layer)));
});

const folder = temporaryFolder();
const installed = (shell: string) => spawnSync(shell, ["--version"]).status === 0;

beforeAll(() => {
  const path = join(folder, "lorp");
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(path, 0o755);
});

/** Runs shell code after the shell has loaded its completion; what it prints, by lines. */
function inShell(shell: string, code: string, ...options: string[]): string[] {
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  const script = execFileSync(join(folder, "lorp"), ["completion", shell], { encoding: "utf8" });
  writeFileSync(join(folder, `completion.${shell}`), script);
  const output = execFileSync(shell, [...options, "-c", code], { cwd: folder, env, encoding: "utf8" });
  return output.trim().split("\n");
}

test.runIf(installed("bash"))("completes in bash", () => {
  const ask = (...words: string[]) =>
    inShell(
      "bash",
      `source ./completion.bash; COMP_WORDS=(lorp ${words.join(" ")}); COMP_CWORD=${words.length}; _lorp; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p lorp`,
      "--norc",
    );
  expect(ask("pr").slice(0, -1)).toEqual(["prune"]);
  const [...gpus] = ask("prune", "m.gguf", "--gpu", "''");
  expect(gpus.pop()).toMatch(/^complete .*-o default .*-F _lorp lorp$/);
  expect(gpus).toEqual(["auto", "off", "cuda", "vulkan", "metal"]);
});

test.runIf(installed("zsh"))("completes in zsh", () => {
  const ask = (...words: string[]) =>
    inShell(
      "zsh",
      `compdef() { :; }; compadd() { print -l -- $@; }; _files() { print files; }; source ./completion.zsh; words=(lorp ${words.join(" ")}); CURRENT=${words.length + 1}; _lorp`,
      "-f",
    );
  expect(ask("prune", "m.gguf", "--gpu", "''").slice(3)).toEqual(["auto", "off", "cuda", "vulkan", "metal"]);
  expect(ask("prune", "m")).toEqual(["files"]);
});

test.runIf(installed("fish"))("completes in fish", () => {
  const ask = (line: string) =>
    inShell("fish", `source ./completion.fish; complete -C '${line}'`, "--no-config");
  expect(ask("lorp prune m.gguf --gpu ")).toEqual(["auto", "off", "cuda", "vulkan", "metal"]);
  expect(ask("lorp insp")).toEqual(["inspect"]);
  expect(ask("lorp prune completion.f")).toEqual(["completion.fish"]);
});
