import { expect, test } from "vitest";
import { addon } from "../../src/native/addon.ts";

const clusters = (values: number[], n: number, k: number) =>
  addon.spectralClusters(Float64Array.from(values), n, k, 0);

test("the addon refuses what is not a matrix of cosines", () => {
  expect(() => clusters([1, Number.NaN, 0.5, 1], 2, 1)).toThrow(
    "the similarity of layers 0 and 1 is not a cosine",
  );
  expect(() => clusters([1, 0.5, 0.5, 1], 2, 3)).toThrow("k must be");
  expect(() => clusters([1, 0.5, 0.5, 1], 2, 0)).toThrow("k must be");
});

test("all numbers of clusters of a deep model take no noticeable time", () => {
  const n = 128;
  const similarity = Array.from({ length: n * n }, (_, index) =>
    Math.exp(-Math.abs(Math.floor(index / n) - (index % n)) / 20),
  );
  const start = performance.now();
  const found = [2, 3, 4, 5, 6].map((k) => clusters(similarity, n, k));
  expect(performance.now() - start).toBeLessThan(500);
  expect(found.map((labels) => new Set(labels).size)).toEqual([2, 3, 4, 5, 6]);
});
