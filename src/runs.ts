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
