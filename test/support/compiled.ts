import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";

/**
 * Translates src/ into JavaScript that child processes of a test can run, without checking types and without touching
 * dist/. The caller removes it.
 * @returns a folder laid out like the built project: dist/, and links to what dist/ refers to
 */
export function compileSources(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "lorp-compiled-"));
  for (const name of ["node_modules", "package.json", "build", "calibration", "schemas"])
    symlinkSync(resolve(name), join(folder, name));
  translate("src", join(folder, "dist"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function translate(from: string, to: string): void {
  for (const name of readdirSync(from, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(from, name), "utf8"), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    const target = join(to, name.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}
