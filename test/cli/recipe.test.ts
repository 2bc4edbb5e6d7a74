import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { visibleCommands } from "../../src/cli/help/command-tree.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { readRecipe, recipeArguments, withRecipe } from "../../src/cli/recipe/arguments.ts";
import { recipeOptions } from "../../src/cli/recipe/options.ts";
import { recipePath } from "../../src/cli/recipe/place.ts";
import { recipeSchema } from "../../src/cli/recipe/schema.ts";
import { stringifyDocument } from "../../src/documents/stringify.ts";
import { lorp } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/gguf.ts";

const commands = visibleCommands(await buildProgram());
const prune = commands.find((command) => command.name() === "prune")!;

// `vitest -u` writes the file anew after the command line has changed.
test("the schema in the package is the program's", async () => {
  const published = { $schema: "https://json-schema.org/draft/2020-12/schema", ...recipeSchema(commands) };
  await expect(stringifyDocument(published)).toMatchFileSnapshot("../../schemas/config.schema.json");
});

test("a recipe can set every option but the recipe itself and secrets", () => {
  const { properties } = recipeSchema(commands) as { properties: Record<string, { properties: object }> };
  for (const command of commands.filter(({ options }) => options.length > 0)) {
    const names = command.options.map((option) => option.attributeName());
    const settable = names.filter((name) => name !== "config" && name !== "hfToken");
    expect(Object.keys(properties[command.name()]?.properties ?? {})).toEqual(settable);
    expect(recipeOptions(command)).toHaveLength(settable.length);
  }
});

const added = (recipe: Parameters<typeof recipeArguments>[0], ...args: string[]) =>
  recipeArguments(recipe, prune, ["prune", "m.gguf", ...args]);

test("options become arguments; those of the command go before those of all commands", () => {
  const recipe = {
    common: { gpu: "off", threads: 2 },
    prune: { threads: 4, remove: 3, modelfile: true, modelCard: "card.md", dryRun: false },
    analyze: { sequences: 9 },
  };
  expect(added(recipe).sort()).toEqual([
    "--gpu=off",
    "--model-card=card.md",
    "--modelfile",
    "--remove=3",
    "--threads=4",
  ]);
});

test.each([["--remove=5"], ["--remove", "5"], ["--layers", "1-3"], ["--max-loss", "10%"]])(
  "%s on the command line goes before a ratio in a recipe",
  (...args) => {
    expect(added({ prune: { ratio: 0.25 } }, ...args)).toEqual([]);
  },
);

test.each([[["-o", "b.gguf"]], [["-ob.gguf"]], [["-qo", "b.gguf"]], [["-qob.gguf"]]])(
  "%j on the command line goes before the recipe's output",
  (args) => {
    expect(added({ prune: { output: "a.gguf", force: true } }, ...args)).toEqual(["--force"]);
  },
);

test.each([["-oquiet.gguf"], ["--", "-q.gguf"]])("%s on the command line does not set quiet", (...args) => {
  expect(added({ prune: { quiet: true } }, ...args)).toEqual(["--quiet"]);
});

test("false turns off what is on, and true leaves it", () => {
  const off = { common: { cache: false, color: false }, prune: { force: false } };
  const on = { common: { cache: true, color: true }, prune: { force: true } };
  expect(added(off).sort()).toEqual(["--no-cache", "--no-color"]);
  expect(added(on)).toEqual(["--force"]);
  expect(recipeArguments(off, prune, ["prune", "--no-cache"])).toEqual(["--no-color"]);
});

test("help needs no recipe", async () => {
  expect(recipePath(["prune", "--config", "r.json"])).toBe("r.json");
  expect(recipePath(["prune", "--config", "r.json", "--", "-h"])).toBe("r.json");
  for (const flag of ["-h", "--help"]) expect(recipePath(["prune", "--config=r.json", flag])).toBeUndefined();
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, "lorp.config.json"), "{");
  expect(await lorp(["prune", "--help"], { cwd })).toMatchObject({ status: 0, stderr: "" });
  expect(await lorp(["prune", "m.gguf"], { cwd })).toMatchObject({ status: 1 });
});

test("options go before the end of options", () => {
  expect(withRecipe(["prune", "--", "-m.gguf"], ["--force"])).toEqual(["prune", "--force", "--", "-m.gguf"]);
});

test.each([
  ["{", "DOCUMENT_NOT_JSON", ""],
  ['{"prune":{"remov":5}}', "DOCUMENT_INVALID", "prune.remov is not known"],
  ['{"common":{"gpu":"fast"}}', "DOCUMENT_INVALID", "common.gpu should be one of auto, off"],
  ['{"prune":{"force":"yes"}}', "DOCUMENT_INVALID", 'prune.force should be true or false, but is "yes"'],
])("refuses the recipe %s", async (text, code, message) => {
  const path = join(temporaryFolder(), "recipe.json");
  writeFileSync(path, text);
  const reading = readRecipe(path, commands, ["prune"]);
  await expect(reading).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

test("the command line takes a recipe that lies there, and one it is told of", async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, "lorp.config.json"), '{"prune":{"remove":2,"sequences":1,"gpu":"off"}}');
  const found = await lorp(["prune", EXAMPLE_MODEL, "--dry-run", "--json"], { cwd });
  const report = JSON.parse(found.stdout);
  expect(report.plan.removedLayers).toHaveLength(2);
  expect(report.command).toContain("--remove=2");
  expect(found.stderr).toContain("Options from lorp.config.json: --remove=2");

  writeFileSync(join(cwd, "other.json"), '{"prune":{"layers":"5,6,7","gpu":"off"}}');
  const args = ["prune", EXAMPLE_MODEL, "--dry-run", "--json", "-q", "--config", "other.json"];
  const told = await lorp(args, { cwd });
  expect(JSON.parse(told.stdout).plan.removedLayers).toEqual([5, 6, 7]);
  expect(told.stderr).toBe("");

  const missing = await lorp(["prune", EXAMPLE_MODEL, "--config", "none.json"], { cwd });
  expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining("none.json cannot be read") });
});

test.each([
  ["prune", { output: "../../.bashrc", force: true }],
  ["prune", { quiet: true }],
  ["prune", { rpc: "evil:50052" }],
  ["common", { report: "x.html" }],
])("what only a named recipe may set: %s %j", async (section, options) => {
  const path = join(temporaryFolder(), "lorp.config.json");
  writeFileSync(path, JSON.stringify({ [section]: options }));
  await expect(readRecipe(path, commands, ["prune", "m.gguf"])).rejects.toMatchObject({
    code: "RECIPE_NOT_NAMED",
  });
  const named = await readRecipe(path, commands, ["prune", "m.gguf", "--config", path]);
  expect(named?.added).toHaveLength(Object.keys(options).length);
});
