import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join("src", name), "utf8"));

const literals = (pattern: RegExp) =>
  sources.flatMap((source) => [...source.matchAll(pattern)].map((match) => match[1] ?? ""));

/** Codes are the first argument of an error; other literals that begin with the same word are codes too. */
function codesInSource(): string[] {
  const thrown = literals(/(?:new \w*Error|super)\(\s*"([A-Z][A-Z0-9_]+)"/g);
  const families = new Set(
    [...thrown, ...literals(/ErrorCode =[^;]*?"(\w+)"/g)].map((code) => code.split("_")[0]),
  );
  const related = literals(/"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"/g).filter((code) =>
    families.has(code.split("_")[0]),
  );
  return [...new Set([...thrown, ...related])].sort();
}

test("every error code is explained, and every explained one exists", () => {
  const page = readFileSync("docs/troubleshooting.md", "utf8");
  const rows = page.split("\n").filter((line) => /^\| `/.test(line));
  const explained = rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map((code) => code[1]),
  );
  expect(codesInSource().length).toBeGreaterThan(50);
  expect(explained.toSorted()).toEqual(codesInSource());
});
