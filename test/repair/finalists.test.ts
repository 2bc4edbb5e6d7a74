import { expect, test } from "vitest";
import type { MeasuredSet } from "../../src/documents/measurements.ts";
import { prune } from "../../src/index.ts";
import { finalists } from "../../src/repair/finalists.ts";
import { explicitPlan } from "../../src/selection/plan.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

const set = (removedLayers: number[], difference = 0, complete = true): MeasuredSet => ({
  removedLayers,
  complete,
  proposedBy: ["lorp"],
  sequences: complete ? 4 : 2,
  loss: 1,
  difference: { mean: difference, standardError: null },
});
const text = { name: "text", sha256: "0".repeat(64) };
const measured = (sets: MeasuredSet[], objective: "kl" | "perplexity" = "kl") => ({
  ...explicitPlan({ blockCount: 20 }, [3, 9]),
  measurements: { text, sequences: 4, sequenceLength: 128, objective, original: null, sets },
});

test("the best three sets of the size are repaired, and the best run of layers", () => {
  // One that the search gave up is judged by the sequences that it was run on.
  const best = [set([3, 9]), set([4, 9], 0.1), set([6, 9], 0.3), set([5, 9], 0.2, false)];
  const worse = [set([14, 15], 0.5, false), set([4, 12], 0.4), set([7, 8], 0.6)];
  expect(finalists(measured([...best, set([8, 9, 10], 0.05), ...worse]))).toEqual([
    [3, 9],
    [4, 9],
    [5, 9],
    [14, 15],
  ]);
  expect(finalists(measured([set([3, 9]), set([7, 8], 0.1)]))).toEqual([
    [3, 9],
    [7, 8],
  ]);
  expect(finalists(measured(best, "perplexity"))).toEqual([[3, 9]]);
  expect(finalists(explicitPlan({ blockCount: 20 }, [3, 9]))).toEqual([[3, 9]]);
});

test("the set of the lowest divergence with its repair is taken", async () => {
  const { plan } = await prune(EXAMPLE_MODEL, {
    gpu: "off",
    threads: 1,
    sequences: 8,
    sequenceLength: 128,
    evaluations: 8,
    remove: 2,
    repair: "bridge",
    dryRun: true,
    samples: false,
  });
  const tried = plan.measurements!.sets.filter(({ repaired }) => repaired);
  expect(tried.length).toBeGreaterThan(1);
  const least = Math.min(...tried.map(({ repaired }) => repaired!.divergence));
  const chosen = tried.find(({ removedLayers }) => removedLayers.join() === plan.removedLayers.join());
  expect(chosen!.repaired!.divergence).toBe(least);
  // The chosen set's own repair is measured once more, with a λ and a type that are chosen.
  const { kind, heldBack, tried: kinds } = plan.repair!;
  expect(kind).toBe("bridge");
  const divergence = kinds.find((one) => one.kind === kind)!.divergence;
  expect(divergence).toBeLessThan(1.05 * least);
  expect(heldBack.divergence).toBeCloseTo(chosen!.loss, 9);
  expect(plan.removals.map(({ layer }) => layer)).toEqual(plan.removedLayers);
}, 60_000);
