import type { TensorSlice } from "../architecture/types.ts";
import type { TensorInfo } from "../gguf/types.ts";
import type { Transform } from "./copy.ts";

/**
 * A tensor of which only the kept blocks' parts stay. On disk the blocks' parts follow one another again and again,
 * once for each index of the dimensions after `axis`.
 */
export function sliceTensor(
  { shape, byteLength }: TensorInfo,
  { axis, of, kept }: TensorSlice,
): { shape: readonly number[]; byteLength: number; transform: Transform } {
  const repeats = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const unit = byteLength / (of * repeats);
  const stays = new Set(kept);
  let next = 0;
  const apply = (units: Uint8Array) => {
    let left = 0;
    for (let from = 0; from < units.length; from += unit) {
      if (stays.has(next)) {
        units.copyWithin(left, from, from + unit);
        left += unit;
      }
      next = (next + 1) % of;
    }
    return units.subarray(0, left);
  };
  return {
    shape: shape.map((length, dimension) => (dimension === axis ? (length / of) * kept.length : length)),
    byteLength: unit * repeats * kept.length,
    transform: { unit, apply },
  };
}
