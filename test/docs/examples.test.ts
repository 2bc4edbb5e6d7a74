import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

interface Example {
  readonly name: string;
  readonly code: string;
}

const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));

const fenced = (page: string, languages: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`(?:${languages})\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, code = ""]) => code,
  );

/** The examples in the comments of the package's functions, which editors show. */
const ofFunctions: readonly Example[] = filesIn("src", ".ts").flatMap((file) => {
  const comments = [...readFileSync(file, "utf8").matchAll(/^ \* @example\n((?: \*(?: .*)?\n)+)/gm)];
  return comments
    .flatMap(([, lines = ""]) => fenced(lines.replaceAll(/^ \* ?/gm, ""), "ts"))
    .map((code) => ({ name: basename(file, ".ts"), code }));
});

/** The programs in the docs; what imports nothing is an excerpt. */
const ofPages: readonly Example[] = ["README.md", ...filesIn("docs", ".md")].flatMap((page) =>
  fenced(readFileSync(page, "utf8"), "js|ts")
    .filter((code) => code.includes('from "lorp"'))
    .map((code) => ({ name: basename(page, ".md"), code })),
);

/** A folder of somebody who has installed the package, with a model and the examples as programs. */
function prepareFolder(): { folder: string; programs: string[] } {
  const folder = temporaryFolder();
  cpSync(EXAMPLE_MODEL, join(folder, "model.gguf"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(resolve("."), join(folder, "node_modules", "lorp"));
  symlinkSync(resolve("node_modules/@types"), join(folder, "node_modules", "@types"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const programs = [...ofFunctions, ...ofPages].map(({ name, code }, index) => {
    const path = join(folder, `${String(index).padStart(2, "0")}-${name}.ts`);
    writeFileSync(path, code);
    return path;
  });
  return { folder, programs };
}

test("there is an example of every verb", () => {
  expect(ofFunctions.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["analyze", "apply", "compare", "diff", "evaluate", "inspect", "plan", "prune"]),
  );
  expect(ofPages.length).toBeGreaterThan(0);
});

test("the examples are right, and those of functions do what they say", { timeout: 600_000 }, () => {
  const { folder, programs } = prepareFolder();
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noUnusedLocals: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [resolve("node_modules/@types")],
    outDir: folder,
  };
  const program = ts.createProgram(programs, options);
  const faults = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => ({
    file: basename(file?.fileName ?? ""),
    fault: ts.flattenDiagnosticMessageText(messageText, "\n"),
  }));
  expect(faults).toEqual([]);
  program.emit();
  for (const path of programs.slice(0, ofFunctions.length)) {
    const printed = execFileSync(process.execPath, [path.replace(/\.ts$/, ".js")], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(printed, basename(path)).not.toMatch(/^$|undefined|NaN/);
  }
});
