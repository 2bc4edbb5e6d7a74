import { type Attempt, attemptOf, describe, helps } from "./attempt.ts";
import { gather, openEquations, type Removal } from "./equations.ts";
import { isWorthFitting, type Judged } from "./fit.ts";
import type { Gap } from "./gaps.ts";
import { KINDS } from "./places.ts";
import { isSingular, type Trial } from "./repair.ts";

/** Sequences that tell whether the layer behind is worth refitting. */
const TRIED_FIRST = 32;

/**
 * The attempt with the first kept layer behind its last gap refitted too, by what its maps do not give back; the attempt as
 * it is if that does not help by more than its standard error, or has no solution.
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
  const judged = await fitted()
    .catch((error: unknown) => {
      if (!isSingular(error)) throw error;
    })
    .finally(() => equations.sums.close());
  if (!judged) return attempt;
  const { mended, divergences } = judged;
  if (!helps(without, divergences)) {
    mended.repair.close();
    return attempt;
  }
  const gaps = [...attempt.tried.gaps, describe(mended, divergences)];
  return attemptOf(attempt.kind, [...earlier, mended], gaps, divergences, before);
}
