import { mcNemar, wilsonInterval } from "../statistics.ts";

/** A share of right answers. */
export interface Accuracy {
  readonly accuracy: number;
  /** 95 % confidence interval (Wilson). */
  readonly interval: readonly [low: number, high: number];
}

/**
 * What counts as the answer: the choice of the highest log-likelihood (`raw`), of the highest log-likelihood per UTF-8
 * byte of the continuation (`normalized`); of equals the first; or whether what was generated matches (`matched`).
 */
export type Rule = "raw" | "normalized" | "matched";

/** Whether each item of a task was answered right, by the rules that the task's kind has. */
export type Answers = { readonly [By in Rule]?: readonly boolean[] };

/** What an accuracy and a base's on the same items say together. */
export interface Paired {
  /** Items that only the model answers right. */
  readonly gained: number;
  /** Items that only the base answers right. */
  readonly lost: number;
  /** How likely two equally good models would differ as much: McNemar's exact test, two-sided. */
  readonly pValue: number;
}

export function accuracyOf(right: readonly boolean[]): Accuracy {
  const count = right.filter(Boolean).length;
  return { accuracy: count / right.length, interval: wilsonInterval(count, right.length) };
}

/** Two models' answers to the same items. */
export function pair(answers: readonly boolean[], base: readonly boolean[]): Paired {
  const gained = answers.filter((right, item) => right && !base[item]).length;
  const lost = answers.filter((right, item) => !right && base[item]).length;
  return { gained, lost, pValue: mcNemar(gained, lost) };
}

/** Something of the answers by each rule that there is. */
export function byRule<Result>(
  answers: Answers,
  of: (right: readonly boolean[], rule: Rule) => Result,
): { readonly [By in Rule]?: Result } {
  const rules = Object.entries(answers) as [Rule, readonly boolean[]][];
  return Object.fromEntries(rules.map(([rule, right]) => [rule, of(right, rule)]));
}
