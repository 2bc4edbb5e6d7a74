import { SelectionError } from "./errors.ts";
import type { Constraints } from "./types.ts";

/** The layers that methods choose from: all of N but the first and the last, ascending. */
export function candidates(layers: number): number[] {
  return Array.from({ length: Math.max(0, layers - 2) }, (_, index) => index + 1);
}

/**
 * The sizes that a legal set of removed layers can have if it contains `removed`, ascending. Further removed layers
 * are candidates that no rule fixes.
 *
 * Dynamic programming over the states (next layer, layers kept so far): a kept layer must be of the kind that belongs
 * to the index at which it comes to stand.
 */
export function legalSizes(
  constraints: Constraints,
  layers: number,
  removed: ReadonlySet<number> = new Set(),
): number[] {
  const fixed = new Set(constraints.fixed.map(({ layer }) => layer));
  const free = candidates(layers).filter((layer) => !fixed.has(layer) && !removed.has(layer));
  const fits = (size: number) =>
    constraints.lengths?.every(({ allowed }) => allowed.includes(layers - size)) ?? true;
  if (constraints.positional.length === 0) {
    // Each free layer may go or stay.
    return Array.from({ length: free.length + 1 }, (_, index) => removed.size + index).filter(fits);
  }
  const removable = new Set([...free, ...removed]);
  let keptCounts = new Set([0]);
  for (let layer = 0; layer < layers; layer++) {
    const next = new Set<number>();
    for (const kept of keptCounts) {
      const ofKind = constraints.positional.every(({ kinds }) => kinds[layer] === kinds[kept]);
      if (ofKind && !removed.has(layer)) next.add(kept + 1);
      if (removable.has(layer)) next.add(kept);
    }
    keptCounts = next;
  }
  return [...keptCounts]
    .map((kept) => layers - kept)
    .filter(fits)
    .sort((a, b) => a - b);
}

/** The rule that keeps `removed` from being part of a set of `budget` removed layers, or null if there is such a set. */
export function ruleAgainst(
  constraints: Constraints,
  layers: number,
  removed: ReadonlySet<number>,
  budget: number,
): string | null {
  const holding = constraints.fixed.find(({ layer }) => removed.has(layer));
  if (holding) return holding.rule;
  const allows = (rules: Constraints) => legalSizes(rules, layers, removed).includes(budget);
  if (allows(constraints)) return null;
  const { fixed, positional, lengths = [] } = constraints;
  const alone = { fixed: [], positional: [], lengths: [] };
  const guilty = [
    ...(allows({ ...alone, fixed }) ? [] : fixed.filter(({ layer }) => candidates(layers).includes(layer))),
    ...positional.filter((rule) => !allows({ ...alone, positional: [rule] })),
    ...lengths.filter((rule) => !allows({ ...alone, lengths: [rule] })),
  ];
  return ruleNames(guilty.length > 0 ? guilty : [...positional, ...lengths, ...fixed]);
}

/**
 * What to say when a method finds no legal set of `budget` layers.
 * @param rule the rule that leaves none
 * @param possible the sizes that the method could choose, ascending
 * @param what the method removes, e.g. `layers in a row`
 */
export function impossible(
  rule: string,
  layers: number,
  budget: number,
  possible: readonly number[],
  what: string,
): SelectionError {
  const others = nearestSizes(possible, budget);
  const advice = others.length > 0 ? `remove ${others.join(" or ")}` : "choose another method";
  return new SelectionError(
    `No ${budget} ${what} can be removed from this model's ${layers} (${rule}): ${advice} instead.`,
  );
}

/** The nearest of ascending sizes below and above `wanted`, 0 apart. */
export function nearestSizes(possible: readonly number[], wanted: number): number[] {
  const below = possible.findLast((size) => size > 0 && size < wanted);
  const above = possible.find((size) => size > wanted);
  return [below, above].filter((size) => size !== undefined);
}

function ruleNames(rules: readonly { readonly rule: string }[]): string {
  return [...new Set(rules.map(({ rule }) => rule))].join("; ");
}
