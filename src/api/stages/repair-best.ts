import type { Measurements } from "../../documents/measurements.ts";
import type { Plan } from "../../documents/plan.ts";
import type { Repair } from "../../documents/repair.ts";
import { LorpError } from "../../errors.ts";
import { finalists, withSet } from "../../repair/finalists.ts";
import { release } from "../../repair/mended.ts";
import { measuredSet } from "../../selection/measurements.ts";
import { divergenceOf, repair } from "./repair.ts";

/**
 * As `repair`, for a Plan whose method measured several sets: the best of them are all repaired roughly, and that of the
 * lowest divergence with its repair becomes the Plan's. A set that cannot have the repair that is asked for is passed over.
 * @throws LorpError, of the first set, when no set can have it
 */
export const repairBest: typeof repair = async (described, opened, plan, choice, options) => {
  const sets = choice === "off" ? [plan.removedLayers] : finalists(plan);
  if (sets.length === 1) return repair(described, opened, plan, choice, options);
  const tried: Candidate[] = [];
  const impossible: LorpError[] = [];
  for (const [index, removed] of sets.entries()) {
    const roughly = await repair(described, opened, { ...plan, removedLayers: removed }, choice, {
      ...options,
      roughly: true,
      onProgress: (progress) =>
        options.onProgress?.({
          ...progress,
          done: index * progress.total + progress.done,
          total: sets.length * progress.total,
          note: `set ${index + 1} of ${sets.length}, roughly`,
        }),
    }).catch((error: unknown) => {
      if (!isImpossible(error)) throw error;
      impossible.push(error);
    });
    if (!roughly) continue;
    release(roughly.live);
    const told = roughly.plan.repair;
    // A set that leaves no gap behind a kept layer is what it was measured to be.
    const divergence = told
      ? divergenceOf(told)
      : (measuredSet(plan, removed)?.loss ?? Number.POSITIVE_INFINITY);
    tried.push({ removed, told, divergence });
  }
  const [first] = tried;
  if (!first) throw impossible[0];
  const { removed, divergence } = tried.reduce(
    (least, one) => (one.divergence < least.divergence ? one : least),
    first,
  );
  const chosen = removed === plan.removedLayers ? plan : withSet(plan, removed, divergence);
  const measurements = plan.measurements && note(plan.measurements, tried);
  return repair(described, opened, { ...chosen, ...(measurements && { measurements }) }, choice, options);
};

/** A set of layers that was repaired roughly. */
interface Candidate {
  readonly removed: Plan["removedLayers"];
  readonly told: Repair | undefined;
  /** Once repaired, nats a token. */
  readonly divergence: number;
}

function isImpossible(error: unknown): error is LorpError {
  return error instanceof LorpError && ["REPAIR_IMPOSSIBLE", "REPAIR_SINGULAR"].includes(error.code);
}

/** The measurements, with what each set that was tried gives once repaired. */
function note(measurements: Measurements, tried: readonly Candidate[]): Measurements {
  const told = new Map(tried.map(({ removed, told }) => [removed.join(), told]));
  return {
    ...measurements,
    sets: measurements.sets.map((set) => {
      const repair = told.get(set.removedLayers.join());
      return repair ? { ...set, repaired: { kind: repair.kind, divergence: divergenceOf(repair) } } : set;
    }),
  };
}
