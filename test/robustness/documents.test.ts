import { expect, test } from "vitest";
import { completeDocument } from "../../src/analysis/complete-document.ts";
import { describePlan, describeReport } from "../../src/cli/text/documents.ts";
import { checkDocument } from "../../src/documents/files.ts";
import { LorpError } from "../../src/errors.ts";
import { renderHtml } from "../../src/report/html.ts";
import { analysis20, comparison20, fullReport } from "../report/documents.ts";
import { randomNumbers } from "../support/gguf.ts";

const COUNT = Number(process.env.LORP_SWEEP ?? 60);

/** What may stand in a document in place of anything. */
const ODD = [null, 0, -1, 1, 1e9, 1e308, 0.5, "", "x", [], {}, [[]], [1, 2, 3], [-1], [null], true];

type Holder = Record<string, unknown>;

/** A way into a document: the larger its parts are, the less often each of them is taken. */
function drawPlace(value: object, random: () => number): readonly string[] {
  const keys = Object.keys(value);
  const key = keys[Math.floor(random() * keys.length)];
  if (key === undefined) return [];
  const inner = (value as Holder)[key];
  const goesOn = typeof inner === "object" && inner !== null && random() < 0.8;
  return [key, ...(goesOn ? drawPlace(inner, random) : [])];
}

/** The document with one place damaged, and what was done to it. */
function damaged(document: object, random: () => number): { what: string; damage: unknown } {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;
  const copy = structuredClone(document);
  const way = drawPlace(copy, random);
  const key = way.at(-1)!;
  const holder = way.slice(0, -1).reduce<Holder>((each, step) => each[step] as Holder, copy as Holder);
  const value = holder[key];
  const damage = pick(["remove", "replace", "cut", "double", "shift"]);
  if (damage === "remove" && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (damage === "remove") delete holder[key];
  else if (damage === "cut" && Array.isArray(value)) holder[key] = value.slice(1);
  else if (damage === "double" && Array.isArray(value)) holder[key] = [...value, ...value];
  else if (damage === "shift" && typeof value === "number") holder[key] = value + pick([1, -1, 100]);
  else holder[key] = pick(ODD);
  return { what: `${damage} ${way.join(".")}`, damage: copy };
}

const { similarity } = analysis20;
test.each([
  ["analysis", analysis20],
  ["report", { ...fullReport, analysis: { ...fullReport.analysis, similarity } }],
  ["comparison", { ...comparison20, analysis: analysis20 }],
] as const)(
  `%s: ${COUNT} damaged ones are shown without a NaN, or refused in a sentence`,
  {
    timeout: 600_000,
  },
  async (kind, document) => {
    const random = randomNumbers(16);
    const faults: string[] = [];
    let shown = 0;
    for (let made = 0; made < COUNT; made++) {
      const { what, damage } = damaged(document, random);
      try {
        const complete = completeDocument(await checkDocument(kind, damage, "d.json"));
        if ("plan" in complete) describeReport(complete);
        if ("removals" in complete) describePlan(complete);
        const page = await renderHtml(complete);
        const wrong = /.{20}\b(NaN|undefined|Infinity)\b.{20}/.exec(page);
        if (wrong) faults.push(`${what}: ${wrong[0]}`);
        shown++;
      } catch (error) {
        if (!(error instanceof LorpError)) faults.push(`${what}: ${String(error)}`);
      }
    }
    expect(faults).toEqual([]);
    expect(shown).toBeGreaterThan(COUNT / 10);
  },
);
