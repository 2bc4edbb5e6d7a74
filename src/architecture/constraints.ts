import type { Constraints } from "../documents/model.ts";

/** A rule that a removal breaks, and how, for people. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
}

/**
 * The first rule that a choice of blocks breaks, or undefined when it breaks none.
 * @param kept ascending indices of the blocks that stay, prediction blocks included
 * @param trunkBlocks number of blocks that are analysed; `positional` and `lengths` are about those alone
 */
export function violation(
  constraints: Constraints,
  kept: readonly number[],
  trunkBlocks: number,
): Violation | undefined {
  const { fixed, positional, lengths = [], oneOf = [], ends = [], shared = [] } = constraints;
  const isKept = new Set(kept);
  const missing = fixed.find(({ layer }) => !isKept.has(layer));
  if (missing) {
    const holding = fixed.filter(({ layer }) => layer === missing.layer).map(({ rule }) => rule);
    return { rule: holding.join("; "), what: `layer ${missing.layer} must stay` };
  }
  const trunk = kept.filter((index) => index < trunkBlocks);
  for (const { rule, kinds } of positional) {
    const moved = trunk.findIndex((index, position) => kinds[index] !== kinds[position]);
    if (moved >= 0) return { rule, what: `layer ${trunk[moved]} would move to position ${moved}` };
  }
  const empty = oneOf.find(({ layers }) => !layers.some((layer) => isKept.has(layer)));
  if (empty) return { rule: empty.rule, what: `one of the layers ${empty.layers.join(", ")} must stay` };
  for (const { rule, end, layers } of ends) {
    const outer = end === "first" ? trunk[0] : trunk.at(-1);
    if (outer !== undefined && !layers.includes(outer))
      return { rule, what: `layer ${outer} would be the ${end}` };
  }
  for (const { rule, layer, by } of shared) {
    const user = by.find((other) => isKept.has(other));
    if (user !== undefined && !isKept.has(layer)) {
      return { rule, what: `layer ${user} cannot stay without layer ${layer}` };
    }
  }
  const length = lengths.find(({ allowed }) => !allowed.includes(trunk.length));
  return length && { rule: length.rule, what: `${trunk.length} layers would be left` };
}
