import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { describeCommands } from "../../src/cli/help/command-tree.ts";
import { manPage, referencePage } from "../../src/cli/help/manual.ts";
import { buildProgram } from "../../src/cli/program.ts";

const program = await buildProgram();
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

// `vitest -u` writes both files anew after the command line has changed.
test("the man page in the package is the program's", async () => {
  await expect(manPage(program, version)).toMatchFileSnapshot("../../man/lorp.1");
});

test("the reference in the documentation is the program's", async () => {
  await expect(referencePage(program)).toMatchFileSnapshot("../../docs/reference.md");
});

test("both name every option of every command", () => {
  const commands = describeCommands(program);
  expect(commands.map(({ name }) => name)).toContain("lorp prune");
  const page = manPage(program, version).replaceAll("\\-", "-");
  const reference = referencePage(program);
  for (const { name, options } of commands) {
    expect(page).toContain(`.SS ${name}\n`);
    expect(reference).toContain(`## ${name}\n`);
    for (const { term } of options) expect(page).toContain(`\\fB${term}\\fR`);
  }
});

test.runIf(spawnSync("groff", ["--version"]).status === 0)(
  "the man page has no fault that groff sees",
  () => {
    const { stdout, stderr } = spawnSync("groff", ["-man", "-ww", "-Tutf8"], {
      input: manPage(program, version),
      encoding: "utf8",
    });
    expect(stdout).toContain("make local language models shallower");
    expect(stderr).toBe("");
  },
);

test("a command that is not called has neither options nor an action, and costs nothing", async () => {
  const lean = await buildProgram(["plan", "analysis.json"]);
  const withOptions = lean.commands
    .filter(({ options }) => options.length > 0)
    .map((command) => command.name());
  expect(withOptions).toEqual(["plan"]);
  expect(lean.commands.map((command) => command.name())).toEqual(COMMANDS.map(({ name }) => name));
});
