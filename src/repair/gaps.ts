import { runsOf } from "../runs.ts";

/** Removed layers that stand together, behind a kept one that can make up for them; none where `last` is `before`. */
export interface Gap {
  /** The kept layer. */
  readonly before: number;
  readonly last: number;
}

/** Ascending; where the first layer goes, nothing stands before that gap. @param removed ascending */
export function gapsOf(removed: readonly number[]): Gap[] {
  return runsOf(removed)
    .filter(({ first }) => first > 0)
    .map(({ first, end }) => ({ before: first - 1, last: end - 1 }));
}

/**
 * The first kept layer behind the last gap, as an empty gap: a map there gives back some of what one at the gap could
 * not. The model's last layer has none, since llama.cpp computes of it only the tokens that are asked for.
 * @param layers of the model
 */
export function behindLast(gaps: readonly Gap[], layers: number): Gap | undefined {
  const gap = gaps.at(-1);
  const layer = gap ? gap.last + 1 : layers;
  return layer < layers - 1 ? { before: layer, last: layer } : undefined;
}
