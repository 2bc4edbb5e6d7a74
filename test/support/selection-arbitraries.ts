import fc from "fast-check";
import type { Constraints, SelectionInput, SimilarityMatrix } from "../../src/selection/types.ts";

/** A symmetric matrix of cosines with a unit diagonal, of a size in the range. Values come from a coarse grid, so that
 * ties occur. */
export function arbitrarySimilarity(minLayers: number, maxLayers: number): fc.Arbitrary<SimilarityMatrix> {
  return fc.integer({ min: minLayers, max: maxLayers }).chain((n) =>
    fc.array(fc.integer({ min: -4, max: 16 }), { minLength: n * n, maxLength: n * n }).map((values) => {
      const at = (i: number, j: number) => (values[Math.min(i, j) * n + Math.max(i, j)] ?? 0) / 16;
      return Array.from({ length: n }, (_, i) =>
        Array.from({ length: n }, (_, j) => (i === j ? 1 : at(i, j))),
      );
    }),
  );
}

/** Rules of every form for a model of N layers. */
export function arbitraryConstraints(layers: number): fc.Arbitrary<Constraints> {
  const layer = fc.integer({ min: 0, max: layers - 1 });
  const kinds = fc
    .integer({ min: 2, max: 4 })
    .map((period) => Array.from({ length: layers }, (_, index) => Number(index % period === 0)));
  return fc.record({
    fixed: fc.array(fc.record({ layer, rule: fc.constant("fixed rule") }), { maxLength: 2 }),
    positional: fc.array(fc.record({ rule: fc.constant("positional rule"), kinds }), { maxLength: 2 }),
    lengths: fc.array(
      fc.record({ rule: fc.constant("length rule"), allowed: fc.array(fc.integer({ min: 1, max: layers })) }),
      { maxLength: 1 },
    ),
    oneOf: fc.array(
      fc.record({ rule: fc.constant("kind rule"), layers: fc.uniqueArray(layer, { minLength: 1 }) }),
      { maxLength: 2 },
    ),
    ends: fc.array(
      fc.record({
        rule: fc.constant("end rule"),
        end: fc.constantFrom("first" as const, "last" as const),
        // The ends themselves are legal: methods never remove them.
        layers: fc.uniqueArray(layer).map((inner) => [...new Set([0, ...inner, layers - 1])]),
      }),
      { maxLength: 2 },
    ),
    shared: fc.array(
      fc
        .uniqueArray(layer, { minLength: 2, maxLength: 4 })
        .map((some) => some.toSorted((a, b) => a - b))
        .map(([owner, ...by]) => ({ rule: "sharing rule", layer: owner!, by })),
      { maxLength: 2 },
    ),
  });
}

/** Input of a selection method; clusters are arbitrary, numbered by first layer. */
export function arbitraryInput(minLayers: number, maxLayers: number): fc.Arbitrary<SelectionInput> {
  return arbitrarySimilarity(minLayers, maxLayers).chain((similarity) =>
    fc
      .record({
        labels: fc.array(fc.nat({ max: 3 }), { minLength: similarity.length, maxLength: similarity.length }),
        constraints: arbitraryConstraints(similarity.length),
        seed: fc.nat(),
      })
      .map(({ labels, constraints, seed }) => {
        const seen = [...new Set(labels)];
        const clusters = labels.map((label) => seen.indexOf(label));
        return { similarity, clusters, k: seen.length, constraints, seed };
      }),
  );
}
