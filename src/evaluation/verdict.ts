import type { Grades, Verdict } from "../documents/verdict.ts";

/**
 * The grades, the best first: the first one whose limits both hold is given. The limits lie between what llama.cpp
 * publishes for the types of quantisation that people use (tools/perplexity/README.md, Llama 3 8B without importance
 * matrix) and what pruned models were measured to do on HumanEval (docs/evaluation.md).
 */
export const GRADES: Grades = [
  {
    grade: "as good",
    klDivergence: 0.02,
    topAgreement: 0.93,
    meaning: "a difference will hardly be noticed",
    reason: "Q5_K_M (0.011) and Q5_K_S (0.017), which are used in place of the full precision, lie within.",
  },
  {
    grade: "slightly worse",
    klDivergence: 0.05,
    topAgreement: 0.88,
    meaning: "it differs as a common quantisation does; look at your own task",
    reason: "Q4_K_M (0.031, same top token 91.9 %) and Q4_K_S (0.043), the types most used, lie within.",
  },
  {
    grade: "clearly worse",
    klDivergence: 0.15,
    topAgreement: 0.8,
    meaning: "of exact tasks, such as programming, expect about a fifth to fail that it could do before",
    reason:
      "Q4_0 (0.072) and Q3_K_M (0.102) lie within; at 0.06 a pruned model had lost a fifth of the HumanEval tasks that it solved.",
  },
  {
    grade: "damaged",
    klDivergence: 1,
    topAgreement: 0.5,
    meaning: "expect it to fail at half or more of what it could do exactly, and long answers to go astray",
    reason:
      "Q3_K_S (0.228), Q2_K (0.445) and IQ2_XXS (0.812) lie within; at 0.2 a pruned model had lost half of the HumanEval tasks.",
  },
  {
    grade: "ruined",
    klDivergence: null,
    topAgreement: 0,
    meaning: "it is of no use as it is: remove fewer layers",
    reason: "Only IQ1_M (1.39) and IQ1_S (2.25) cost as much: perplexity four times the original's and more.",
  },
];

/**
 * Mean KL divergence from F16 of Llama 3 8B in llama.cpp's types, nats a token. Source: llama.cpp,
 * tools/perplexity/README.md, "LLaMA 3 8b Scoreboard"; without importance matrix but for the IQ types, which need one.
 */
export const QUANTIZATIONS: readonly { readonly type: string; readonly klDivergence: number }[] = [
  { type: "Q8_0", klDivergence: 0.001355 },
  { type: "Q6_K", klDivergence: 0.005452 },
  { type: "Q5_K_M", klDivergence: 0.010762 },
  { type: "Q5_K_S", klDivergence: 0.016595 },
  { type: "Q4_K_M", klDivergence: 0.031273 },
  { type: "Q4_K_S", klDivergence: 0.043136 },
  { type: "Q4_0", klDivergence: 0.07194 },
  { type: "Q3_K_L", klDivergence: 0.087176 },
  { type: "Q3_K_M", klDivergence: 0.101913 },
  { type: "Q3_K_S", klDivergence: 0.228217 },
  { type: "Q2_K", klDivergence: 0.445132 },
  { type: "IQ2_XXS", klDivergence: 0.812022 },
  { type: "IQ1_M", klDivergence: 1.393084 },
  { type: "IQ1_S", klDivergence: 2.254554 },
];

/** What is measured of a pruned model beside its original. */
export interface Distance {
  /** Mean KL(original ‖ pruned), nats a token. */
  readonly klDivergence: number;
  /** Share of the tokens where both find the same one most likely. */
  readonly topAgreement: number;
}

/** The verdict on what was measured; on what is no number the worst. */
export function verdictOf({ klDivergence, topAgreement }: Distance): Verdict {
  const { grade, meaning } =
    GRADES.find(
      (limits) =>
        klDivergence <= (limits.klDivergence ?? Number.POSITIVE_INFINITY) &&
        topAgreement >= limits.topAgreement,
    ) ?? GRADES.at(-1)!;
  const nearest = nearestQuantization(klDivergence);
  const measured =
    `KL divergence ${klDivergence.toFixed(3)} nats a token, ${comparison(klDivergence, nearest)}; ` +
    `same most likely token ${(100 * topAgreement).toFixed(1)} %`;
  const name = `${grade[0]!.toUpperCase()}${grade.slice(1)}`;
  return { grade, nearestType: nearest.type, sentence: `${name} (${measured}): ${meaning}.` };
}

/** The mean KL divergence, nats a token, above which it alone makes a model one that is of no use. */
export const RUINED_ABOVE = GRADES.at(-2)?.klDivergence ?? 0;

export function isRuinous(klDivergence: number): boolean {
  return klDivergence > RUINED_ABOVE;
}

type Quantization = (typeof QUANTIZATIONS)[number];

/** By ratio, since costs span three orders of magnitude. */
function nearestQuantization(klDivergence: number): Quantization {
  const distance = (other: Quantization) => Math.abs(Math.log(other.klDivergence / klDivergence));
  return QUANTIZATIONS.reduce((best, other) => (distance(other) < distance(best) ? other : best));
}

/** How far beyond the table's ends a cost is no longer "about" that of the last type. */
const ABOUT = 1.3;

function comparison(klDivergence: number, { type, klDivergence: published }: Quantization): string {
  if (klDivergence > ABOUT * published) return `more than ${type} costs`;
  if (klDivergence < published / ABOUT) return `less than ${type} costs`;
  return `about what ${type} costs`;
}
