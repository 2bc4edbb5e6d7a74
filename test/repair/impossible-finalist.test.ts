import { expect, test, vi } from "vitest";
import { repairBest } from "../../src/api/stages/repair-best.ts";
import type { MeasuredSet } from "../../src/documents/measurements.ts";
import type { Plan } from "../../src/documents/plan.ts";
import { RuntimeError } from "../../src/model/errors.ts";
import { RepairError } from "../../src/repair/errors.ts";
import { explicitPlan } from "../../src/selection/plan.ts";

/** Divergence of each set once it is repaired, or why it cannot be. */
const OUTCOMES = new Map<string, number | Error>();

vi.mock(import("../../src/api/stages/repair.ts"), async (original) => ({
  ...(await original()),
  async repair(_described, _opened, plan) {
    const outcome = OUTCOMES.get(plan.removedLayers.join());
    if (outcome instanceof Error) throw outcome;
    const told = { kind: "refit", tried: [{ kind: "refit", gaps: [], divergence: outcome }] };
    return { plan: { ...plan, repair: told as never }, repair: undefined };
  },
}));

const set = (removedLayers: number[]): MeasuredSet => ({
  removedLayers,
  complete: true,
  proposedBy: ["lorp"],
  sequences: 4,
  loss: 1,
  difference: { mean: 0, standardError: null },
});
const plan: Plan = {
  ...explicitPlan({ blockCount: 20 }, [3, 9]),
  measurements: {
    text: { name: "text", sha256: "0".repeat(64) },
    sequences: 4,
    sequenceLength: 128,
    objective: "kl",
    original: null,
    sets: [set([3, 9]), set([4, 9]), set([5, 9])],
  },
};
const best = (outcomes: readonly [number | Error, number | Error, number | Error]) => {
  for (const [index, key] of ["3,9", "4,9", "5,9"].entries()) OUTCOMES.set(key, outcomes[index]!);
  return repairBest({} as never, {} as never, plan, "refit", {});
};
const impossible = new RepairError("REPAIR_IMPOSSIBLE", "This model cannot have the repair refit there.");
const singular = new RuntimeError("REPAIR_SINGULAR", "No map can be fitted.");

test("a set that cannot have the repair is passed over", async () => {
  expect((await best([0.3, impossible, 0.2])).plan.removedLayers).toEqual([5, 9]);
  expect((await best([impossible, singular, 0.4])).plan.removedLayers).toEqual([5, 9]);
  expect((await best([0.1, 0.3, singular])).plan.removedLayers).toEqual([3, 9]);
});

test("where none can, the reason of the plan's own set is told", async () => {
  await expect(best([impossible, singular, singular])).rejects.toBe(impossible);
});

test("anything else that fails is told at once", async () => {
  const crash = new RuntimeError("RUNTIME_CRASHED", "llama.cpp crashed.");
  await expect(best([0.1, crash, 0.2])).rejects.toBe(crash);
});
