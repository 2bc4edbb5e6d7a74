import type { MendedGap, TriedRepair } from "../documents/repair.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import { estimate } from "../statistics.ts";
import type { Mended } from "./equations.ts";
import type { RepairKind } from "./kinds.ts";

/** One kind of repair, fitted and measured. */
export interface Attempt {
  readonly kind: RepairKind;
  readonly mended: readonly Mended[];
  readonly divergences: readonly number[];
  readonly tried: TriedRepair;
}

/** @param divergences with all maps @param before without any */
export function attemptOf(
  kind: RepairKind,
  mended: readonly Mended[],
  gaps: readonly MendedGap[],
  divergences: readonly number[],
  before: readonly number[],
): Attempt {
  const { mean: divergence } = estimate(divergences);
  const { standardError } = estimate(differences(before, divergences));
  return { kind, mended, divergences, tried: { kind, gaps, divergence, standardError } };
}

/** A map as a Plan tells it. @param divergences with it and those before it */
export function describe({ gap, place, ridge, stored }: Mended, divergences: readonly number[]): MendedGap {
  return {
    after: gap.before,
    ...(gap.last === gap.before && { behind: true }),
    ridge,
    type: GGML_TYPES.get(stored.type)!.name,
    features: place.features,
    bytes: stored.bytes.length - (place.replaces?.byteLength ?? 0),
    divergence: estimate(divergences).mean,
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
export function helps(before: readonly number[], after: readonly number[]): boolean {
  const { mean, standardError } = estimate(differences(before, after));
  return mean > (standardError ?? Number.POSITIVE_INFINITY);
}

function differences(before: readonly number[], after: readonly number[]): number[] {
  return before.map((value, i) => value - after[i]!);
}
