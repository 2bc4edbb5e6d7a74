import { createHash } from "node:crypto";
import type { KeptValues } from "../files/kept-values.ts";
import type { Lanes } from "../model/lanes.ts";
import type { LossSource } from "../selection/trials.ts";
import { sum } from "../statistics.ts";
import { logLikelihoods, type TokenizedItem } from "./choices.ts";
import { lossSource, type Piece } from "./losses.ts";

/**
 * How much likelier the likeliest wrong choice of each item is than the right one, nats: negative where the model
 * answers right.
 * @param groups of items; each is a sequence of the source
 * @param kept what earlier runs measured
 */
export function marginLosses(
  lanes: Lanes,
  groups: readonly (readonly TokenizedItem[])[],
  kept?: KeptValues,
): LossSource {
  return lossSource("task", groups.map(pieceOf), lanes.count, kept, async (skip, group) =>
    Float64Array.from(
      await Promise.all(
        groups[group]!.map(async (item) => -margin(await logLikelihoods(lanes, item, skip), item.answer)),
      ),
    ),
  );
}

/** Log-likelihood of the right choice less the highest of the others', nats. */
export function margin(likelihoods: readonly number[], answer: number): number {
  return likelihoods[answer]! - Math.max(...likelihoods.filter((_, choice) => choice !== answer));
}

/** Tokens of all choices of an item. */
export function tokensOfItem({ choices }: TokenizedItem): number {
  return sum(choices.map(({ tokens }) => tokens.length));
}

function pieceOf(items: readonly TokenizedItem[]): Piece {
  const digest = createHash("sha256");
  for (const { choices, answer } of items) {
    digest.update(`${answer} of ${choices.length} `);
    for (const { tokens, first } of choices) digest.update(`${first} of ${tokens.length} `).update(tokens);
  }
  return {
    name: `of the items ${digest.digest("hex")}`,
    tokens: sum(items.map(tokensOfItem)),
    losses: items.length,
  };
}
