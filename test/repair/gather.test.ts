import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

const LENGTH = 128;
const REMOVED = [8, 9, 10];
const TEXT = new URL("../../calibration/default.txt", import.meta.url);

test("one session gathers what two do side by side, and a fitted map gives back what was removed", async () => {
  const file = await readGguf(EXAMPLE_MODEL);
  const { states } = describeArchitecture(file);
  const model = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
  const session = model.openSession({ sequenceLength: LENGTH, states });
  const original = model.openSession({ sequenceLength: LENGTH, states });
  const tokens = await model.tokenize(readFileSync(TEXT, "utf8").slice(0, 8000));
  const windows = Array.from({ length: Math.floor(tokens.length / LENGTH) }, (_, i) =>
    tokens.slice(i * LENGTH, (i + 1) * LENGTH),
  );
  const gap = { before: 7, last: 10, weight: "blk.7.ffn_down.weight", epsilon: 1e-5 };
  const features = file.tensors.find(({ name }) => name === gap.weight)!.shape[0]!;
  const product = model.openSums(features, 256);
  const normalized = model.openSums(256, 256);
  const apart = model.openSums(256, 256);
  const fitted = windows.slice(0, 10);
  for (const window of fitted) {
    await session.gather(window, { ...gap, skip: REMOVED, normalized, product });
    await session.gather(window, { ...gap, skip: REMOVED, normalized: apart, original });
  }
  const map = await normalized.solve(1e-2);
  expect(normalisedError(map, await apart.solve(1e-2))).toBeLessThan(1e-8);

  // So little text is judged where it was fitted.
  const seen = fitted[0]!;
  const divergence = async (repairs: Parameters<typeof session.logits>[2]) => {
    const { kl } = await session.score(seen, { skip: REMOVED, repairs, base: { session: original } });
    return kl.reduce((sum, value) => sum + value, 0) / kl.length;
  };
  const without = await divergence([]);
  const bridge = await model.keepRepair({ block: 7, weight: "", epsilon: 1e-5, map });
  expect(await divergence([bridge])).toBeLessThan(0.7 * without);
  const solved = await product.solve(1e-2);
  const refit = await model.keepRepair({ block: 7, weight: gap.weight, epsilon: 0, map: solved });
  expect(await divergence([refit])).toBeLessThan(0.7 * without);

  // An empty gap: what is missing after that layer. Without removals nothing is.
  const behind = { before: 11, last: 11, weight: "blk.11.ffn_down.weight", epsilon: 0, original };
  const nothing = model.openSums(features, 256);
  await session.gather(seen, { ...behind, skip: [], product: nothing });
  expect((await nothing.solve(1e-2)).every((value) => value === 0)).toBe(true);
  const missing = model.openSums(features, 256);
  for (const window of fitted) {
    await session.gather(window, { ...behind, skip: REMOVED, repairs: [bridge], product: missing });
  }
  const more = await missing.solve(1e-2);
  const second = await model.keepRepair({ block: 11, weight: behind.weight, epsilon: 0, map: more });
  expect(await divergence([bridge, second])).toBeLessThan(0.9 * (await divergence([bridge])));
  await expect(session.gather(seen, { ...behind, last: 10, skip: [], product: missing })).rejects.toThrow(
    /last/,
  );
  model.close();
}, 60_000);

function normalisedError(a: Float32Array, b: Float32Array): number {
  const squared = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0);
  return squared(a.map((x, i) => x - b[i]!)) / squared(a);
}
