import { expect, test } from "vitest";
import { describeReport } from "../../src/cli/text/documents.ts";
import { describeEvaluation } from "../../src/cli/text/evaluation.ts";
import { purposeRemark } from "../../src/cli/text/purpose.ts";
import type { Comparison } from "../../src/documents/comparison.ts";
import type { Report } from "../../src/documents/report.ts";
import { verdictOf } from "../../src/evaluation/verdict.ts";
import { modelCard } from "../../src/export/model-card.ts";
import { renderHtml } from "../../src/report/html.ts";
import { removedColour } from "../../src/report/terminal/colour.ts";
import { describeReach } from "../../src/report/verdict.ts";
import { comparison20, report20 } from "./documents.ts";

function judged(klDivergence: number, topAgreement: number): Report {
  const distance = { klDivergence, topAgreement };
  return { ...report20, divergence: { ...distance, standardError: null }, verdict: verdictOf(distance) };
}

const good = judged(0.015, 0.95);
const ruined = judged(4.7, 0.17);
const unbroken = (text: string) => text.replaceAll(/\s+/g, " ");

test("a ruined model is the first thing said, in red where there are colours; any other verdict the last", () => {
  expect(unbroken(describeReport(ruined)).startsWith(ruined.verdict!.sentence)).toBe(true);
  expect(unbroken(describeReport(good)).endsWith(good.verdict!.sentence)).toBe(true);
  const coloured = describeReport(ruined, { colour: "truecolour", width: 80 });
  const [r, g, b] = removedColour.rgb;
  expect(coloured.startsWith(`\u001b[0;38;2;${r};${g};${b}mRuined`)).toBe(true);
});

test("so it is on the page and on the card", async () => {
  const at = async (report: Report) => {
    const page = await renderHtml(report);
    const card = modelCard({ report, metadata: new Map() });
    const sentence = report.verdict!.sentence;
    return {
      page: page.indexOf(sentence) < page.indexOf('class="summary"'),
      red: page.includes('class="verdict ruined"'),
      card: card.indexOf(sentence) < card.indexOf("without 5 of its"),
      told: page.includes(sentence) && card.includes(sentence),
    };
  };
  expect(await at(ruined)).toEqual({ page: true, red: true, card: true, told: true });
  expect(await at(good)).toEqual({ page: false, red: false, card: false, told: true });
});

test("an evaluation says it of each text, the ruined first", () => {
  const text = (name: string, { divergence, verdict }: Report) => ({
    name,
    sha256: "00",
    sequences: 1,
    sequenceLength: 512,
    perplexity: 20,
    standardError: null,
    tokens: 511,
    bitsPerByte: 1,
    base: {
      perplexity: 10,
      standardError: null,
      tokens: 511,
      bitsPerByte: 0.9,
      perplexityRatio: 2,
      topAgreement: divergence!.topAgreement,
      klDivergence: {
        mean: divergence!.klDivergence,
        standardError: null,
        median: 1,
        q90: 1,
        q99: 1,
        q999: 1,
        maximum: 1,
      },
    },
    verdict: verdict!,
  });
  const said = unbroken(
    describeEvaluation({
      lorpVersion: "0.1.0",
      model: "m.gguf",
      base: "b.gguf",
      skippedLayers: [],
      protocol: "windows",
      bos: false,
      texts: [text("prose.txt", good), text("code.txt", ruined)],
      tasks: [],
      resources: [],
    }),
  );
  expect(said.startsWith(`On code.txt: ${ruined.verdict!.sentence}`)).toBe(true);
  expect(said.endsWith(`On prose.txt: ${good.verdict!.sentence}`)).toBe(true);
});

test("a comparison says how many layers each grade allows", () => {
  const [first] = comparison20.candidates;
  const candidate = (method: string, removedLayers: number[], klDivergence: number) => ({
    ...first!,
    method,
    budget: removedLayers.length,
    removedLayers,
    measures: [
      {
        perplexity: 20,
        klDivergence,
        topAgreement: 1,
        verdict: verdictOf({ klDivergence, topAgreement: 1 }),
      },
    ],
  });
  const reach = (...candidates: Comparison["candidates"]) => describeReach({ ...comparison20, candidates });
  expect(
    reach(
      candidate("lorp", [3], 0.1),
      candidate("shortgpt", [4], 0.04),
      candidate("lorp", [3, 5], 0.4),
      candidate("shortgpt", [4, 5], 0.3),
      candidate("shortgpt", [4, 5, 6], 2),
    ),
  ).toBe(
    "As far as measured: slightly worse without 1 (shortgpt: 4); damaged without 2 (shortgpt: 4–5); ruined without more than 2.",
  );
  expect(reach(candidate("lorp", [3], 3))).toBe(
    "Ruined in every case that was measured: remove fewer layers.",
  );
  expect(describeReach(comparison20)).toBeUndefined();
});

test("only lorp's own text asks for one of the user's", () => {
  expect(purposeRemark("default", "--calibration")).toContain("--calibration your-text.txt");
  expect(purposeRemark("novel.txt", "--text")).toBeUndefined();
});
