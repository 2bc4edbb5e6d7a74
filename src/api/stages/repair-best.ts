import type { Measurements } from "../../documents/measurements.ts";
import type { Plan } from "../../documents/plan.ts";
import type { Repair } from "../../documents/repair.ts";
import { LorpError } from "../../errors.ts";
import { finalists, withSet } from "../../repair/finalists.ts";
import { measuredSet } from "../../selection/measurements.ts";
import { repair } from "./repair.ts";

/**
 * As `repair`, for a Plan whose method measured several sets: the best of them are all repaired, and the one of the lowest
 * divergence with its repair becomes the Plan's. A set that cannot have the repair that is asked for is passed over.
 * @throws LorpError, of the first set, when no set can have it
 */
export const repairBest: typeof repair = async (described, opened, plan, choice, options) => {
  const sets = choice === "off" ? [plan.removedLayers] : finalists(plan);
  if (sets.length === 1) return repair(described, opened, plan, choice, options);
  const tried = [];
  const impossible: LorpError[] = [];
  for (const [index, removed] of sets.entries()) {
    const repaired = await repair(described, opened, { ...plan, removedLayers: removed }, choice, {
      ...options,
      onProgress: (progress) =>
        options.onProgress?.({
          ...progress,
          done: index * progress.total + progress.done,
          total: sets.length * progress.total,
        }),
    }).catch((error: unknown) => {
      if (!isImpossible(error)) throw error;
      impossible.push(error);
    });
    if (!repaired) continue;
    const told = repaired.plan.repair;
    // A set that leaves no gap behind a kept layer is what it was measured to be.
    const divergence = told
      ? divergenceOf(told)
      : (measuredSet(plan, removed)?.loss ?? Number.POSITIVE_INFINITY);
    tried.push({ removed, repaired, told, divergence });
  }
  const [first] = tried;
  if (!first) throw impossible[0];
  const best = tried.reduce((least, one) => (one.divergence < least.divergence ? one : least), first);
  for (const { repaired } of tried) {
    if (repaired !== best.repaired) for (const map of repaired.live ?? []) map.close();
  }
  const chosen = best.removed === plan.removedLayers ? plan : withSet(plan, best.removed, best.divergence);
  return {
    ...best.repaired,
    plan: {
      ...chosen,
      ...(plan.measurements && { measurements: note(plan.measurements, tried) }),
      ...(best.told && { repair: best.told }),
    },
  };
};

function isImpossible(error: unknown): error is LorpError {
  return error instanceof LorpError && ["REPAIR_IMPOSSIBLE", "REPAIR_SINGULAR"].includes(error.code);
}

/** Of the model with what is kept of its repair. */
function divergenceOf({ kind, tried, heldBack }: Repair): number {
  return tried.find((one) => one.kind === kind)?.divergence ?? heldBack.divergence;
}

/** The measurements, with what each set that was tried gives once repaired. */
function note(
  measurements: Measurements,
  tried: readonly { readonly removed: Plan["removedLayers"]; readonly told: Repair | undefined }[],
): Measurements {
  const told = new Map(tried.map(({ removed, told }) => [removed.join(), told]));
  return {
    ...measurements,
    sets: measurements.sets.map((set) => {
      const repair = told.get(set.removedLayers.join());
      return repair ? { ...set, repaired: { kind: repair.kind, divergence: divergenceOf(repair) } } : set;
    }),
  };
}
