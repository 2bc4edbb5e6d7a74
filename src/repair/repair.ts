import type { TriedRepair } from "../documents/repair.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import { estimate } from "../statistics.ts";
import { type Equations, gatherEquations, type Judge, type Mended, mendGap, type Removal } from "./fit.ts";
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

/**
 * Fits repairs of several kinds, each gap by gap from front to back with those before in place. A gap whose map does not
 * help by more than its standard error is left as it is.
 * @param before divergences of the pruned model as it is
 * @throws RepairError, RuntimeError, AbortedError
 */
export async function tryRepairs(
  kinds: readonly RepairKind[],
  gaps: readonly Gap[],
  broken: Broken,
  removal: Removal,
  judge: Judge,
  before: readonly number[],
): Promise<Attempt[]> {
  const places = (gap: Gap) => kinds.map((kind) => KINDS[kind].place(broken, gap));
  const [first] = gaps;
  // Of the first gap all kinds see the same.
  const shared = first ? await gatherEquations(removal, first, places(first), []) : [];
  const attempts: Attempt[] = [];
  for (const [index, kind] of kinds.entries()) {
    const mended: Mended[] = [];
    const told: TriedRepair["gaps"][number][] = [];
    let divergences = before;
    for (const gap of gaps) {
      const [equations] =
        gap === first
          ? [shared[index]!]
          : await gatherEquations(removal, gap, [KINDS[kind].place(broken, gap)], mended);
      const judged = await mendAndClose(removal, equations!, mended, judge, divergences);
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
    attempts.push({
      kind,
      mended,
      divergences,
      tried: { kind, gaps: told, divergence, standardError },
    });
  }
  return attempts;
}

async function mendAndClose(removal: Removal, equations: Equations, ...rest: Rest) {
  try {
    return await mendGap(removal, equations, ...rest);
  } finally {
    equations.sums.close();
  }
}
type Rest = [earlier: readonly Mended[], judge: Judge, before: readonly number[]];

function describe({ gap, place, ridge, stored }: Mended, divergence: number): TriedRepair["gaps"][number] {
  return {
    after: gap.before,
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
