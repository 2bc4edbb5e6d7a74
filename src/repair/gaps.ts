/** Blocks that stand together. */
export interface Run {
  readonly first: number;
  /** The block after the last. */
  readonly end: number;
}

/** @param blocks ascending */
export function runsOf(blocks: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (last?.end === block) runs[runs.length - 1] = { ...last, end: block + 1 };
    else runs.push({ first: block, end: block + 1 });
  }
  return runs;
}

/** Removed blocks that stand together, behind a kept one that can make up for them. */
export interface Gap {
  /** The kept block. */
  readonly before: number;
  readonly last: number;
}

/** Ascending; where the first block goes, nothing stands before that gap. @param removed ascending */
export function gapsOf(removed: readonly number[]): Gap[] {
  return runsOf(removed)
    .filter(({ first }) => first > 0)
    .map(({ first, end }) => ({ before: first - 1, last: end - 1 }));
}
