import { describe, expect, test } from "vitest";
import { clusterCount, rls } from "../../src/analysis/locality.ts";
import { blockInfluence, layerRedundancy, measureLayers } from "../../src/analysis/redundancy.ts";
import { checkSimilarity } from "../../src/analysis/similarity.ts";

const similarity = [
  [1, 0.5, 0.25],
  [0.5, 1, 0.75],
  [0.25, 0.75, 1],
];

test("the locality score is -log2 of the mean above the diagonal", () => {
  expect(rls(similarity)).toBe(1);
  expect(
    rls([
      [1, 1],
      [1, 1],
    ]),
  ).toBeCloseTo(0, 15);
});

test("a mean that is not positive has no score, and counts as local", () => {
  expect(
    rls([
      [1, 0],
      [0, 1],
    ]),
  ).toBeNull();
  expect(
    rls([
      [1, -0.5],
      [-0.5, 1],
    ]),
  ).toBeNull();
  expect(clusterCount(null, 20)).toBe(2);
});

test.each([
  [1.5, 20, 2],
  [1, 20, 2],
  [0.999, 20, 3],
  [0.7, 20, 3],
  [0.699, 20, 4],
  [0, 20, 4],
  [0, 3, 3],
])("a score of %s with %s layers asks for %s clusters", (score, layers, k) => {
  expect(clusterCount(score, layers)).toBe(k);
});

test("redundancy is the mean similarity to the others of the cluster", () => {
  expect(layerRedundancy(similarity, 1, [0, 1, 2])).toBe(0.625);
  expect(layerRedundancy(similarity, 1, [1, 2])).toBe(0.75);
  expect(layerRedundancy(similarity, 1, [1])).toBeNull();
});

test("block influence is 1 - similarity of input and output; the last layer's output is unknown", () => {
  expect([0, 1, 2].map((layer) => blockInfluence(similarity, layer))).toEqual([0.5, 0.25, null]);
});

test("each layer's measures", () => {
  expect(measureLayers(similarity, [0, 1, 1], 2)).toEqual([
    { layer: 0, cluster: 0, redundancy: null, blockInfluence: 0.5 },
    { layer: 1, cluster: 1, redundancy: 0.75, blockInfluence: 0.25 },
    { layer: 2, cluster: 1, redundancy: 0.75, blockInfluence: null },
  ]);
});

describe("a matrix that cannot be one of cosine similarities is refused", () => {
  const changed = (i: number, j: number, value: number) =>
    similarity.map((row, a) => row.map((old, b) => (a === i && b === j ? value : old)));

  test.each([
    ["too small", [[1]], "similarity has 1 rows, but an analysis needs at least 2 layers."],
    [
      "not square",
      [
        [1, 0.5],
        [0.5, 1, 0.5],
      ],
      "similarity[1] has 3 entries, but the matrix has 2 rows.",
    ],
    ["not finite", changed(0, 1, Number.NaN), "similarity[0][1] is NaN, but a cosine lies between -1 and 1."],
    ["not a cosine", changed(2, 0, 1.2), "similarity[0][2] is 0.25, but similarity[2][0] is 1.2"],
    ["beyond -1", changed(0, 2, -1.2), "similarity[0][2] is -1.2, but a cosine lies between -1 and 1."],
    ["not symmetric", changed(0, 2, 0.3), "similarity[0][2] is 0.3, but similarity[2][0] is 0.25"],
    [
      "without a unit diagonal",
      changed(1, 1, 0.9),
      "similarity[1][1] is 0.9, but a layer's similarity to itself is 1.",
    ],
  ])("%s", (_, matrix, message) => {
    expect(() => checkSimilarity(matrix)).toThrow(message);
  });

  test("but rounding is not", () => {
    expect(() => checkSimilarity(changed(0, 2, 0.25001))).not.toThrow();
    expect(() => checkSimilarity(changed(1, 1, 1.00001))).not.toThrow();
  });
});
