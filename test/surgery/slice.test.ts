import { expect, test } from "vitest";
import type { TensorInfo } from "../../src/gguf/types.ts";
import { sliceTensor } from "../../src/surgery/slice.ts";

const tensor = (shape: readonly number[], byteLength: number): TensorInfo => ({
  name: "t",
  shape,
  type: 24,
  typeName: "I8",
  byteLength,
  file: 0,
  fileOffset: 0,
});

/** The bytes that `apply` leaves when given `units` at a time. */
function feed(
  { unit, apply }: ReturnType<typeof sliceTensor>["transform"],
  bytes: Uint8Array,
  units: number,
) {
  const left: number[] = [];
  for (let from = 0; from < bytes.length; from += unit * units) {
    left.push(...apply(bytes.slice(from, from + unit * units)));
  }
  return left;
}

test.for([
  ["along the rows", 0, [6, 2, 2]],
  ["across the rows", 1, [2, 6, 2]],
] as const)("the kept blocks' parts of a tensor divided %s", ([, axis, shape]) => {
  const kept = [0, 2];
  const bytes = Uint8Array.from({ length: 24 }, (_, i) => i);
  const index = (i: number) => {
    const along = axis === 0 ? i % shape[0] : Math.floor(i / shape[0]) % shape[1];
    return Math.floor(along / 2);
  };
  const expected = [...bytes].filter((i) => kept.includes(index(i)));
  for (const units of [1, 2, 3, 5, 100]) {
    const slice = sliceTensor(tensor(shape, 24), { axis, of: 3, kept });
    expect(slice.shape).toEqual(axis === 0 ? [4, 2, 2] : [2, 4, 2]);
    expect(slice.byteLength).toBe(16);
    expect(feed(slice.transform, bytes, units)).toEqual(expected);
  }
});
