import type { MendedGap } from "../documents/repair.ts";
import { RuntimeError } from "../model/errors.ts";
import { type Attempt, attemptOf, describe, helps } from "./attempt.ts";
import { type Equations, gatherEquations, type Mended, type Removal } from "./equations.ts";
import type { Judge, mendGap } from "./fit.ts";
import type { Gap } from "./gaps.ts";
import type { RepairKind } from "./kinds.ts";
import { type Broken, KINDS } from "./places.ts";

/** What repairs are tried on, and by. */
export interface Trial {
  readonly broken: Broken;
  readonly removal: Removal;
  /** At least one, ascending. */
  readonly gaps: readonly Gap[];
  readonly judge: Judge;
  /** Divergences of the pruned model as it is. */
  readonly before: readonly number[];
  /** Finds the map of a gap. */
  readonly mend: typeof mendGap;
}

/** What became of kinds of repair that were tried. */
export interface Tried {
  readonly attempts: readonly Attempt[];
  /** Those whose equations have no solution. */
  readonly refused: readonly { readonly kind: RepairKind; readonly reason: string }[];
}

/**
 * Fits repairs of several kinds, each gap by gap from front to back with those before in place. A gap whose map does not
 * help by more than its standard error is left as it is.
 * @throws RuntimeError, `REPAIR_SINGULAR` when the equations of no kind have a solution; AbortedError
 */
export async function tryRepairs(kinds: readonly RepairKind[], trial: Trial): Promise<Tried> {
  const { broken, removal, gaps } = trial;
  if (kinds.length === 0) return { attempts: [], refused: [] };
  const first = gaps[0]!;
  // Of the first gap all kinds see the same.
  const places = kinds.map((kind) => KINDS[kind].place(broken, first));
  const shared = await gatherEquations(removal, first, places, []);
  try {
    const attempts: Attempt[] = [];
    const unsolved: { kind: RepairKind; error: RuntimeError }[] = [];
    for (const [index, kind] of kinds.entries()) {
      try {
        attempts.push(await tryKind(kind, trial, shared[index]!));
      } catch (error) {
        if (!isSingular(error)) throw error;
        unsolved.push({ kind, error });
      }
    }
    if (attempts.length === 0) throw unsolved[0]!.error;
    return { attempts, refused: unsolved.map(({ kind }) => ({ kind, reason: SINGULAR })) };
  } finally {
    for (const { sums } of shared) sums.close();
  }
}

/** Whether equations have no solution. */
export function isSingular(error: unknown): error is RuntimeError {
  return error instanceof RuntimeError && error.code === "REPAIR_SINGULAR";
}

const SINGULAR = "what its map would read is 0 throughout, or too large for numbers";

/** @param first equations of the first gap */
async function tryKind(
  kind: RepairKind,
  { broken, removal, gaps, judge, before, mend }: Trial,
  first: Equations,
): Promise<Attempt> {
  const mended: Mended[] = [];
  const told: MendedGap[] = [];
  let divergences = before;
  for (const gap of gaps) {
    const place = KINDS[kind].place(broken, gap);
    const equations = gap === first.gap ? first : (await gatherEquations(removal, gap, [place], mended))[0]!;
    const judged = await mend(removal, equations, mended, judge, divergences).finally(() =>
      equations.sums.close(),
    );
    if (!helps(divergences, judged.divergences)) {
      judged.mended.repair.close();
      continue;
    }
    mended.push(judged.mended);
    divergences = judged.divergences;
    told.push(describe(judged.mended, divergences));
  }
  return attemptOf(kind, mended, told, divergences, before);
}
