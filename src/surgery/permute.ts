import type { RowPermutation } from "../architecture/types.ts";
import type { Transform } from "./copy.ts";

/** Puts each group of rows in another order, whatever type the rows are of. */
export function permuteRows({ order, rowBytes }: RowPermutation): Transform {
  const unit = order.length * rowBytes;
  return {
    unit,
    apply(units) {
      for (let start = 0; start < units.length; start += unit) {
        const group = new Uint8Array(units.subarray(start, start + unit));
        for (const [row, from] of order.entries()) {
          units.set(group.subarray(from * rowBytes, (from + 1) * rowBytes), start + row * rowBytes);
        }
      }
      return units;
    },
  };
}
