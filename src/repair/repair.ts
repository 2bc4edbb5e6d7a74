import type { MendedGap, TriedRepair } from "../documents/repair.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import { RuntimeError } from "../model/errors.ts";
import { estimate } from "../statistics.ts";
import {
  type Equations,
  gather,
  gatherEquations,
  type Mended,
  openEquations,
  type Removal,
} from "./equations.ts";
import { isWorthFitting, type Judge, type Judged, type mendGap } from "./fit.ts";
import type { Gap } from "./gaps.ts";
import type { RepairKind } from "./kinds.ts";
import { type Broken, KINDS } from "./places.ts";

/** One kind of repair, fitted and measured. */
export interface Attempt {
  readonly kind: RepairKind;
  readonly mended: readonly Mended[];
  readonly divergences: readonly number[];
  readonly tried: TriedRepair;
}

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
        if (!(error instanceof RuntimeError && error.code === "REPAIR_SINGULAR")) throw error;
        unsolved.push({ kind, error });
      }
    }
    if (attempts.length === 0) throw unsolved[0]!.error;
    return { attempts, refused: unsolved.map(({ kind }) => ({ kind, reason: SINGULAR })) };
  } finally {
    for (const { sums } of shared) sums.close();
  }
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
    told.push(describe(judged.mended, estimate(divergences).mean));
  }
  const { mean: divergence } = estimate(divergences);
  const { standardError } = estimate(differences(before, divergences));
  return { kind, mended, divergences, tried: { kind, gaps: told, divergence, standardError } };
}

/** Sequences that tell whether the layer behind is worth refitting. */
const TRIED_FIRST = 32;

/**
 * The attempt with the first kept layer behind its last gap refitted too, by what its maps do not give back; the attempt as
 * it is if that does not help by more than its standard error.
 * @param behind that layer, as an empty gap
 * @throws RuntimeError, AbortedError
 */
export async function refitBehind(attempt: Attempt, behind: Gap, trial: Trial): Promise<Attempt> {
  const { broken, removal, judge, mend, before } = trial;
  const equations = openEquations(removal, behind, KINDS.refit.place(broken, behind));
  const { mended: earlier, divergences: without } = attempt;
  const gatherFrom = (calibration: Removal["calibration"]) =>
    gather({ ...removal, calibration }, behind, [equations], earlier);
  const fitted = async (): Promise<Judged | undefined> => {
    await gatherFrom(removal.calibration.slice(0, TRIED_FIRST));
    if (!(await isWorthFitting(removal, equations, earlier, judge, without))) return undefined;
    await gatherFrom(removal.calibration.slice(TRIED_FIRST));
    return mend(removal, equations, earlier, judge, without);
  };
  const judged = await fitted().finally(() => equations.sums.close());
  if (!judged) return attempt;
  const { mended, divergences } = judged;
  if (!helps(without, divergences)) {
    mended.repair.close();
    return attempt;
  }
  const { mean: divergence } = estimate(divergences);
  const { standardError } = estimate(differences(before, divergences));
  const gaps = [...attempt.tried.gaps, describe(mended, divergence)];
  return {
    ...attempt,
    mended: [...earlier, mended],
    divergences,
    tried: { ...attempt.tried, gaps, divergence, standardError },
  };
}

function describe({ gap, place, ridge, stored }: Mended, divergence: number): MendedGap {
  return {
    after: gap.before,
    ...(gap.last === gap.before && { behind: true }),
    ridge,
    type: GGML_TYPES.get(stored.type)!.name,
    features: place.features,
    bytes: stored.bytes.length - (place.replaces?.byteLength ?? 0),
    divergence,
  };
}

/**
 * The attempt of the lowest divergence. One of a later kind must be better by more than its standard error: the first
 * kinds change less of the file.
 */
export function better(attempts: readonly Attempt[]): Attempt | undefined {
  return attempts
    .filter(({ mended }) => mended.length > 0)
    .reduce<Attempt | undefined>(
      (best, one) => (!best || helps(best.divergences, one.divergences) ? one : best),
      undefined,
    );
}

/** Whether divergences fall by more than the standard error of the difference. */
function helps(before: readonly number[], after: readonly number[]): boolean {
  const { mean, standardError } = estimate(differences(before, after));
  return mean > (standardError ?? Number.POSITIVE_INFINITY);
}

function differences(before: readonly number[], after: readonly number[]): number[] {
  return before.map((value, i) => value - after[i]!);
}
