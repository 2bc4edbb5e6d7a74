import { expect, test } from "vitest";
import { keepPattern, shiftsPattern } from "../../src/architecture/pattern.ts";
import { plan } from "../../src/index.ts";
import { legalSizes } from "../../src/selection/constraints.ts";

const gemma = { architecture: "gemma3", blockCount: 18 };
const without = (count: number, removed: readonly number[]) =>
  Array.from({ length: count }, (_, layer) => layer).filter((layer) => !removed.includes(layer));

/** As Ollama v0.24.0 counts (model/models/gemma3/model_text.go): the cache of layer i is global where (i + 1) % 6 = 0. */
const seesAll = (layer: number) => (layer + 1) % 6 === 0;

test("a pattern is shifted where a layer comes to stand in the place of another kind", () => {
  for (const removed of [
    [],
    [0],
    [5],
    [0, 1, 2, 3, 4, 5],
    [3, 4, 5, 6, 7, 8],
    [1, 2, 3, 4, 6, 11],
    [12],
    [17],
  ]) {
    const kept = without(18, removed);
    const expected = kept.some((layer, place) => seesAll(layer) !== seesAll(place));
    expect([removed, shiftsPattern(gemma, kept)]).toEqual([removed, expected]);
  }
  expect(shiftsPattern({ architecture: "llama", blockCount: 18 }, without(18, [0]))).toBe(false);
});

test("what keeps the pattern in place leaves as many layers as a whole number of periods", () => {
  const { constraints } = keepPattern(gemma);
  const all = Array.from({ length: 2 ** 12 }, (_, set) => set).flatMap((set) => {
    const removed = without(12, []).filter((layer) => set & (1 << layer));
    const kept = without(12, removed);
    return kept[0] === 0 &&
      kept.at(-1) === 11 &&
      !shiftsPattern({ architecture: "gemma3", blockCount: 12 }, kept)
      ? [removed.length]
      : [];
  });
  const twelve = keepPattern({ architecture: "gemma3", blockCount: 12 }).constraints;
  expect(legalSizes(twelve, 12)).toEqual([...new Set(all)].sort((a, b) => a - b));
  expect(constraints.positional[0]!.kinds.filter(Boolean)).toHaveLength(3);
});

test("plan refuses what shifts it, and takes what does not", () => {
  const analysis = { schemaVersion: 1 as const, model: gemma, similarity: [] };
  const named = (layers: string) => plan(analysis, { layers, patternSafe: true });
  expect(() => named("2")).toThrow("sliding-window pattern");
  expect(named("2-7").removedLayers).toEqual([2, 3, 4, 5, 6, 7]);
  expect(plan(analysis, { layers: "2" }).removedLayers).toEqual([2]);
});
