import type { Constraints } from "../../src/selection/types.ts";

/** Every subset of the layers 1…N−2. */
export function innerSubsets(layers: number): number[][] {
  return Array.from({ length: 2 ** (layers - 2) }, (_, bits) =>
    Array.from({ length: layers - 2 }, (_, index) => index + 1).filter((layer) => (bits >> (layer - 1)) & 1),
  );
}

/** The definition of the constraints, checked directly. */
export function isLegal(constraints: Constraints, layers: number, removed: readonly number[]): boolean {
  const kept = Array.from({ length: layers }, (_, layer) => layer).filter(
    (layer) => !removed.includes(layer),
  );
  return (
    constraints.fixed.every(({ layer }) => kept.includes(layer)) &&
    constraints.positional.every(({ kinds }) =>
      kept.every((layer, index) => kinds[layer] === kinds[index]),
    ) &&
    (constraints.lengths ?? []).every(({ allowed }) => allowed.includes(kept.length)) &&
    (constraints.oneOf ?? []).every(({ layers: kind }) => kind.some((layer) => kept.includes(layer))) &&
    (constraints.ends ?? []).every(({ end, layers: outer }) =>
      outer.includes(end === "first" ? kept[0]! : kept[kept.length - 1]!),
    ) &&
    (constraints.shared ?? []).every(
      ({ layer, by }) => kept.includes(layer) || !by.some((user) => kept.includes(user)),
    )
  );
}
