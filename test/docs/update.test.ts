import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Takes minutes; CONTRIBUTING.md says when it is due. */
const ON_DEMAND = ["test/architecture/oracle.test.ts"];

test("`npm run update` writes every generated file", () => {
  const writers = execFileSync("git", ["grep", "-l", "toMatchFileSnapshot(", "test"], { encoding: "utf8" });
  const { update }: { update: string } = JSON.parse(readFileSync("package.json", "utf8")).scripts;
  const named = update.split(" ").filter((word) => word.endsWith(".test.ts"));
  expect([...named, ...ON_DEMAND, "test/docs/update.test.ts"].sort()).toEqual(writers.trim().split("\n"));
});

test("the paths that CONTRIBUTING.md names are there", () => {
  const page = readFileSync("CONTRIBUTING.md", "utf8");
  const tracked = execFileSync("git", ["ls-files"], { encoding: "utf8" }).split("\n");
  const paths = [...page.matchAll(/\b(?:src|test|docs|man|schemas|scripts|bench)\/[\w./-]*\w/g)].map(
    ([path]) => path,
  );
  expect(paths.length).toBeGreaterThan(10);
  const missing = paths.filter(
    (path) => !tracked.some((file) => file === path || file.startsWith(`${path}/`)),
  );
  expect(missing).toEqual([]);
});
