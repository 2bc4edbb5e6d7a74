import { runsOf } from "../runs.ts";

/** Removed layers that stand together, behind a kept one that can make up for them. */
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
