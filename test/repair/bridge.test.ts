import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { planDeciRewrite } from "../../src/architecture/deci.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";
import { bridgeTensors } from "../../src/repair/bridge-tensors.ts";
import { applyPlan } from "../../src/surgery/apply.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const LENGTH = 128;
const REMOVED = [8, 9, 10];
const TEXT = new URL("../../calibration/default.txt", import.meta.url);

test("a bridge gives back what removal took, and its file computes what was measured before", async () => {
  const file = await readGguf(EXAMPLE_MODEL);
  const { states, blockCount } = describeArchitecture(file);
  const model = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
  const options = { sequenceLength: LENGTH, states };
  const session = model.openSession(options);
  const original = model.openSession(options);
  const tokens = await model.tokenize(readFileSync(TEXT, "utf8").slice(0, 20_000));
  const windows = Array.from({ length: Math.floor(tokens.length / LENGTH) }, (_, i) =>
    tokens.slice(i * LENGTH, (i + 1) * LENGTH),
  );
  const gap = { before: 7, last: 10, weight: "blk.7.ffn_down.weight", epsilon: 1e-5 };
  const sizes = { normalized: 256, product: file.tensors.find(({ name }) => name === gap.weight)!.shape[0]! };
  const sums = {
    normalized: model.openSums(sizes.normalized, 256),
    product: model.openSums(sizes.product, 256),
    apart: model.openSums(sizes.normalized, 256),
  };
  const fitted = windows.slice(4, 34);
  for (const window of fitted) {
    const { normalized, product } = sums;
    await session.gather(window, { ...gap, skip: REMOVED, normalized, product });
    // Side by side with the original the sums are the same.
    await session.gather(window, { ...gap, skip: REMOVED, normalized: sums.apart, original });
  }
  const maps = { normalized: await sums.normalized.solve(1e-2), product: await sums.product.solve(1e-2) };
  const apart = await sums.apart.solve(1e-2);
  expect(normalisedError(maps.normalized, apart)).toBeLessThan(1e-8);

  const bridge = await model.keepRepair({ block: 7, weight: "", epsilon: 1e-5, map: maps.normalized });
  const refit = await model.keepRepair({ block: 7, weight: gap.weight, epsilon: 0, map: maps.product });
  const unseen = windows.slice(0, 4);
  const divergence = async (repairs: readonly (typeof bridge)[], on = unseen) => {
    const all: number[] = [];
    for (const window of on) {
      const { kl } = await session.score(window, { skip: REMOVED, repairs, base: { session: original } });
      all.push(...kl);
    }
    return all.reduce((sum, kl) => sum + kl, 0) / all.length;
  };
  const without = await divergence([]);
  expect(await divergence([bridge])).toBeLessThan(0.9 * without);
  // So little text is enough for few features only: the wider map is judged where it was fitted.
  const seen = fitted.slice(0, 4);
  expect(await divergence([refit], seen)).toBeLessThan(0.9 * (await divergence([], seen)));

  const kept = Array.from({ length: blockCount }, (_, block) => block).filter(
    (block) => !REMOVED.includes(block),
  );
  const rewrite = planDeciRewrite(file, kept, [7]);
  const output = join(temporaryFolder(), "bridged.gguf");
  const bytes = new Uint8Array(maps.normalized.buffer);
  const added = bridgeTensors(rewrite.bridges.get(7)!, { type: 0, shape: [256, 256], bytes });
  await applyPlan({ model: file, rewrite, provenance: new Map(), output, changes: { added } });
  const written = await openModel(output, { gpu: "off", threads: 1 });
  const writtenStates = describeArchitecture(await readGguf(output)).states;
  const writtenSession = written.openSession({ ...options, states: writtenStates });
  const virtual = await session.logits(windows[0]!, REMOVED, [], [bridge]);
  const real = await writtenSession.logits(windows[0]!);
  expect(normalisedError(virtual, real)).toBeLessThan(1e-3);
  const whole = await original.logits(windows[0]!);
  expect(normalisedError(whole, real)).toBeGreaterThan(1e-2);
  written.close();
  model.close();
});

function normalisedError(a: Float32Array, b: Float32Array): number {
  const squared = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0);
  return squared(a.map((x, i) => x - b[i]!)) / squared(a);
}
