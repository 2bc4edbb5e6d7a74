import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync("docs/add-an-architecture.md", "utf8");
const sources = {
  ts: readFileSync("src/architecture/table.ts", "utf8"),
  json: readFileSync("test/data/architectures.json", "utf8"),
};

test("the examples of docs/add-an-architecture.md are what the sources say", () => {
  const examples = [...page.matchAll(/^```(ts|json)\n([\s\S]*?)^```/gm)];
  expect(examples).toHaveLength(3);
  for (const [, language, code] of examples) expect(sources[language as "ts" | "json"]).toContain(code);
});

test("what docs/add-an-architecture.md names in the sources is there", () => {
  const rules = readFileSync("src/architecture/rules.ts", "utf8");
  const types = readFileSync("src/architecture/types.ts", "utf8");
  const fields = [...page.matchAll(/`(?:states)?\.(\w+)`/g)].map(([, name]) => name!);
  expect(fields).toContain("embeds");
  for (const name of fields) expect(types).toContain(`readonly ${name}:`);
  for (const name of [
    "slidingWindow",
    "recurrentInterval",
    "positional",
    "fixed",
    "lengthDefault",
    "byLength",
  ]) {
    expect(page).toContain(`\`${name}\``);
    expect(rules).toMatch(new RegExp(`export (const|function) ${name}\\b`));
  }
});
