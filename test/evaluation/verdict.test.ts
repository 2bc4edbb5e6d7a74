import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { GRADES, QUANTIZATIONS, verdictOf } from "../../src/evaluation/verdict.ts";

const gradeOf = (klDivergence: number, topAgreement: number) =>
  verdictOf({ klDivergence, topAgreement }).grade;

// KL divergence and same top token as llama.cpp publishes them, and as they were measured on SmolLM2 without layers.
test.each([
  ["Q8_0 of Llama 3 8B", 0.001355, 0.97674, "as good"],
  ["Q6_K of Llama 3 8B", 0.005452, 0.96031, "as good"],
  ["Q4_K_M of Llama 3 8B", 0.031273, 0.91901, "slightly worse"],
  ["Q2_K of Llama 2 7B", 0.108903, 0.85584, "clearly worse"],
  ["Q2_K of Llama 3 8B", 0.445132, 0.71138, "damaged"],
  ["SmolLM2 without 21", 0.231, 0.763, "damaged"],
  ["SmolLM2 without 23, 24", 1.309, 0.483, "ruined"],
  ["SmolLM2 without 20–24", 4.213, 0.173, "ruined"],
])("%s is judged as its users judge it", (_, klDivergence, topAgreement, grade) => {
  expect(gradeOf(klDivergence, topAgreement)).toBe(grade);
});

test("a limit still belongs to its grade, and either measure alone can take it away", () => {
  for (const { grade, klDivergence, topAgreement } of GRADES.slice(0, -1)) {
    expect(gradeOf(klDivergence!, topAgreement)).toBe(grade);
    expect(gradeOf(klDivergence! * 1.001, topAgreement)).not.toBe(grade);
    expect(gradeOf(klDivergence!, topAgreement - 0.001)).not.toBe(grade);
  }
});

test("what is further from the original is never judged better", () => {
  const rank = (kl: number, top: number) => GRADES.findIndex(({ grade }) => grade === gradeOf(kl, top));
  const kl = fc.double({ min: 0, max: 5, noNaN: true });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(kl, kl, share, share, (a, b, c, d) => {
      expect(rank(Math.min(a, b), Math.max(c, d))).toBeLessThanOrEqual(rank(Math.max(a, b), Math.min(c, d)));
    }),
  );
});

test("what is no number is ruined", () => {
  expect(gradeOf(Number.NaN, Number.NaN)).toBe("ruined");
});

test.each([
  [0, "less than Q8_0 costs"],
  [0.0009, "less than Q8_0 costs"],
  [0.03, "about what Q4_K_M costs"],
  [0.25, "about what Q3_K_S costs"],
  [4.7, "more than IQ1_S costs"],
])("a KL divergence of %f is %s", (klDivergence, comparison) => {
  const { sentence, nearestType } = verdictOf({ klDivergence, topAgreement: 0.5 });
  expect(sentence).toContain(comparison);
  expect(comparison).toContain(nearestType);
});

test("each published cost is nearest to itself, and the documentation has every limit and its reason", () => {
  const page = readFileSync("docs/evaluation.md", "utf8");
  for (const { type, klDivergence } of QUANTIZATIONS) {
    expect(verdictOf({ klDivergence, topAgreement: 1 }).nearestType).toBe(type);
  }
  for (const { grade, klDivergence, topAgreement, reason } of GRADES) {
    const limits = klDivergence === null ? "more | less" : `${klDivergence} | ${100 * topAgreement} %`;
    expect(page).toContain(`| ${grade} | ${limits} | ${reason} |`);
  }
});
