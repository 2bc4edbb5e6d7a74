/** Room left of every row: a layer number and a space. */
export const GUTTER = 4;

export interface Ruler {
  /** Cells in the row, and the columns that each takes. */
  readonly cells: number;
  readonly cellWidth: number;
  /** Cells from one number to the next. */
  readonly step: number;
  /** The layer of a cell. */
  readonly blockOf: (cell: number) => number;
}

/** Layer numbers above a row of cells; one that would stick out at the end is left out. */
export function ruler({ cells, cellWidth, step, blockOf }: Ruler): string {
  const numbers = Array.from({ length: Math.ceil(cells / step) }, (_, i) => {
    const number = String(blockOf(i * step));
    const room = Math.min(step, cells - i * step) * cellWidth;
    return number.length <= room ? number.padEnd(step * cellWidth) : "";
  });
  return " ".repeat(GUTTER) + numbers.join("").trimEnd();
}
