import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withFlags } from "../../src/cli/options/flags.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { describeDiagnosis } from "../../src/cli/text/diagnosis.ts";

test.each([
  ["lower `sequenceLength`, or raise `maxMemory`.", "lower --sequence-length, or raise --max-memory."],
  ['use `gpu: "off"`, `cache: false`', "use --gpu off, --no-cache"],
  ["such as `remove: [3, 5, 7]`", "such as --remove 3,5,7"],
  ["the model `a b` of `C:\\x`", "the model `a b` of `C:\\x`"],
])("%s: a person reads flags", (message, read) => {
  expect(withFlags(message)).toBe(read);
});

/** The strings of a source file, escapes undone; comments do not count. */
function stringsIn(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const literals = code.match(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g) ?? [];
  return literals.map((literal) => literal.slice(1, -1).replace(/\\(["`])/g, "$1"));
}

test("messages below the command line name options, each of which a command has as a flag", async () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !/^(cli|report|export|documents)\b/.test(name),
  );
  const strings = files.flatMap((name) => stringsIn(readFileSync(join("src", name), "utf8")));
  expect(strings.filter((text) => /(^|[ (])--[a-z]/.test(text) && !/"lorp |^lorp /.test(text))).toEqual([]);

  const flags = (await buildProgram()).commands.flatMap(({ options }) => options.map(({ long }) => long));
  const named = strings.flatMap((text) => withFlags(text).match(/(?<!-)--[a-z-]+/g) ?? []);
  expect(new Set(named).size).toBeGreaterThan(20);
  expect(named.filter((flag) => !flags.includes(flag) && flag !== "--json")).toEqual([]);
});

test("what a device lacks is told in flags too", () => {
  const text = describeDiagnosis({
    lorpVersion: "1",
    llama: "v1",
    node: "v20",
    platform: "linux-x64",
    device: "cpu",
    devices: [
      {
        device: "cuda",
        package: "p",
        installed: false,
        names: [],
        problem: 'CUDA needs p; `gpu: "off"` computes.',
      },
    ],
  });
  expect(text).toContain("CUDA needs p; --gpu off computes.");
});
