import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { MAIN } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

interface Block {
  readonly info: string;
  readonly text: string;
}

function fencedBlocks(page: string): Block[] {
  const text = readFileSync(page, "utf8");
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info = "", body = ""]) => ({
    info,
    text: body,
  }));
}

const commandsOf = ({ text }: Block) => text.split("\n").filter((line) => line !== "");

/** A folder with what the pages speak of, and a recipe that keeps the tests quick. */
function prepareFolder(blocks: readonly Block[]): { folder: string; env: NodeJS.ProcessEnv } {
  const folder = temporaryFolder();
  cpSync(EXAMPLE_MODEL, join(folder, "model.gguf"));
  const isExample = (path: string) => !path.endsWith(".gguf") || resolve(path) === resolve(EXAMPLE_MODEL);
  cpSync("examples", join(folder, "examples"), { recursive: true, filter: isExample });
  cpSync("calibration/default.txt", join(folder, "my-text.txt"));
  const little = { sequences: 4, sequenceLength: 32, textSequences: 1, evaluations: 6 };
  const quick = { gpu: "off", threads: 1, ...little, speed: false, samples: false };
  writeFileSync(join(folder, "lorp.config.json"), JSON.stringify({ common: quick }));
  const recipe = blocks.find(({ info }) => info === "json");
  if (recipe) {
    const { common, ...rest } = JSON.parse(recipe.text);
    writeFileSync(join(folder, "recipe.json"), JSON.stringify({ ...rest, common: { ...quick, ...common } }));
  }
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "lorp"), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(join(bin, "lorp"), 0o755);
  return { folder, env: { ...process.env, HOME: folder, PATH: `${bin}${delimiter}${process.env.PATH}` } };
}

test.each([
  ["docs/guide.md", 20],
  ["docs/lorp.md", 3],
])("every command of %s does what it should", { timeout: 600_000 }, (page, atLeast) => {
  const blocks = fencedBlocks(page);
  const { folder, env } = prepareFolder(blocks);
  const commands = blocks.filter(({ info }) => info === "sh").flatMap(commandsOf);
  expect(commands.length).toBeGreaterThanOrEqual(atLeast);
  for (const command of commands) {
    const { status, stderr } = spawnSync("bash", ["-c", command], { cwd: folder, env, encoding: "utf8" });
    expect({ command, status, stderr: status === 0 ? "" : stderr }).toEqual({
      command,
      status: 0,
      stderr: "",
    });
  }
});

test("what the guide does not let the tests run belongs to other programs", () => {
  const blocks = fencedBlocks("docs/guide.md").filter(({ info }) => info !== "sh" && info !== "json");
  for (const command of blocks.flatMap(commandsOf)) expect(command).toMatch(/^(npm|ollama|llama-cli) /);
});
