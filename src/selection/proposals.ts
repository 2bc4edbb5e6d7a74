import { impossible, legalSizes, ruleAgainst } from "./constraints.ts";
import type { PassedOver, Removal, Selection, SelectionInput } from "./types.ts";

/** Layers in the order in which a method would remove them; it is told of each whether it was taken. */
export type Proposals = Generator<Removal, void, boolean>;

/**
 * Takes the proposed layers until there are `budget`, passing over each one with which no legal set of that size
 * remains. Without constraints these are the first `budget` proposals.
 *
 * @throws SelectionError if no legal set of that size exists
 */
export function takeProposals(input: SelectionInput, budget: number, proposals: Proposals): Selection {
  const { constraints } = input;
  const layers = input.similarity.length;
  requireLegalSize(input, budget);
  const removals: Removal[] = [];
  const passedOver: PassedOver[] = [];
  let proposal = proposals.next();
  while (!proposal.done && removals.length < budget) {
    const { layer } = proposal.value;
    const removed = new Set([...removals.map((removal) => removal.layer), layer]);
    const rule = ruleAgainst(constraints, layers, removed, budget);
    if (rule === null) removals.push(proposal.value);
    else passedOver.push({ layer, rule });
    proposal = proposals.next(rule === null);
  }
  return { removals, passedOver };
}

/** Takes layers in a fixed order, under the same rules. */
export function takeInOrder(input: SelectionInput, budget: number, order: readonly Removal[]): Selection {
  function* proposals(): Proposals {
    yield* order;
  }
  return takeProposals(input, budget, proposals());
}

/** @throws SelectionError if the rules allow no set of that size */
export function requireLegalSize({ constraints, similarity }: SelectionInput, budget: number): void {
  const layers = similarity.length;
  const obstacle = ruleAgainst(constraints, layers, new Set(), budget);
  if (obstacle !== null) {
    throw impossible(obstacle, layers, budget, legalSizes(constraints, layers), "layers");
  }
}
