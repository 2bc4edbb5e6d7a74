import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const docs = readdirSync("docs", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".md"))
  .map((name) => join("docs", name));
const pages = [
  "README.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "examples/README.md",
  ...docs,
];

const textOf = new Map(pages.map((page) => [page, readFileSync(page, "utf8")]));

/** A heading's address, as GitHub makes it. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");

const linksOf = (page: string): string[] =>
  [...(textOf.get(page) ?? "").matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = ""]) => target);

test.each(pages)("the links of %s lead somewhere", (page) => {
  const broken = linksOf(page).filter((link) => {
    const [path = "", heading] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);
    try {
      const text = textOf.get(target) ?? readFileSync(target, "utf8");
      const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => anchor(title));
      return heading !== undefined && !headings.includes(heading);
    } catch {
      return true;
    }
  });
  expect(broken).toEqual([]);
});

test("docs/README.md leads to every page", () => {
  const reached = new Set(linksOf("docs/README.md").map((link) => join("docs", link)));
  expect(docs.filter((page) => page !== "docs/README.md" && !reached.has(page))).toEqual([]);
});
