import { violation } from "../architecture/constraints.ts";
import { SelectionError } from "./errors.ts";
import type { Constraints } from "./types.ts";
import { UNCONSTRAINED } from "./types.ts";
import { type Walker, walkersOf } from "./walkers.ts";

/** The layers that methods choose from: all of N but the first and the last, ascending. */
export function candidates(layers: number): number[] {
  return Array.from({ length: Math.max(0, layers - 2) }, (_, index) => index + 1);
}

/**
 * The sizes that a legal set of removed layers can have if it contains `removed`, ascending. Further removed layers
 * are candidates that no rule fixes.
 */
export function legalSizes(
  constraints: Constraints,
  layers: number,
  removed: ReadonlySet<number> = new Set(),
): number[] {
  const fixed = new Set(constraints.fixed.map(({ layer }) => layer));
  const free = candidates(layers).filter((layer) => !fixed.has(layer) && !removed.has(layer));
  const walkers = walkersOf(constraints);
  const sizes =
    walkers.length === 0
      ? // Each free layer may go or stay.
        Array.from({ length: free.length + 1 }, (_, index) => removed.size + index)
      : walk(walkers, layers, removed, new Set([...free, ...removed])).map((kept) => layers - kept);
  const fits = (size: number) =>
    constraints.lengths?.every(({ allowed }) => allowed.includes(layers - size)) ?? true;
  return sizes.filter(fits).sort((a, b) => a - b);
}

/**
 * The numbers of kept layers that some way through all layers leads to. Dynamic programming: of the layers before the
 * next one, all that matters is how many are kept and what each rule remembers.
 */
function walk(
  walkers: readonly Walker[],
  layers: number,
  removed: ReadonlySet<number>,
  removable: ReadonlySet<number>,
): number[] {
  type Point = { readonly kept: number; readonly memories: readonly boolean[] };
  let points: Point[] = [{ kept: 0, memories: walkers.map(() => false) }];
  for (let layer = 0; layer < layers; layer++) {
    const next = new Map<string, Point>();
    const go = ({ kept, memories }: Point, keeps: boolean) => {
      const after = walkers.map(({ step }, i) => step(memories[i]!, { layer, keeps, position: kept }));
      if (!after.every((memory) => memory !== undefined)) return;
      const point = { kept: kept + Number(keeps), memories: after };
      next.set(`${point.kept}:${after.map(Number).join("")}`, point);
    };
    for (const point of points) {
      if (!removed.has(layer)) go(point, true);
      if (removable.has(layer)) go(point, false);
    }
    points = [...next.values()];
  }
  const whole = points.filter(({ memories }) => walkers.every(({ ends }, i) => ends(memories[i]!)));
  return [...new Set(whole.map(({ kept }) => kept))];
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
  if (removed.size === budget) {
    const kept = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !removed.has(layer));
    return violation({ ...constraints, fixed: [] }, kept, layers)?.rule ?? null;
  }
  const allows = (rules: Constraints) => legalSizes(rules, layers, removed).includes(budget);
  if (allows(constraints)) return null;
  const inner = constraints.fixed.filter(({ layer }) => candidates(layers).includes(layer));
  const others = oneByOne(constraints);
  const guilty = [
    ...(allows({ ...UNCONSTRAINED, fixed: constraints.fixed }) ? [] : inner),
    ...others.filter(({ alone }) => !allows(alone)),
  ];
  return ruleNames(guilty.length > 0 ? guilty : [...others, ...constraints.fixed]);
}

/** Every rule but the fixed ones, as if there were no other. */
function oneByOne({ positional, lengths = [], oneOf = [], ends = [], shared = [] }: Constraints) {
  const alone = (rule: string, own: Partial<Constraints>) => ({ rule, alone: { ...UNCONSTRAINED, ...own } });
  return [
    ...positional.map((one) => alone(one.rule, { positional: [one] })),
    ...lengths.map((one) => alone(one.rule, { lengths: [one] })),
    ...oneOf.map((one) => alone(one.rule, { oneOf: [one] })),
    ...ends.map((one) => alone(one.rule, { ends: [one] })),
    ...shared.map((one) => alone(one.rule, { shared: [one] })),
  ];
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
