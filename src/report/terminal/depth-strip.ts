import { clusterColour, type Ink, paint, removedColour, type TerminalStyle } from "./colour.ts";
import { GUTTER, ruler } from "./ruler.ts";

export interface Depth {
  readonly blockCount: number;
  readonly removed: readonly number[];
  /** The cluster of each layer, as far as known; colours the layers. */
  readonly clusters?: readonly number[] | undefined;
}

/** The layers from first to last as a strip of squares, hollow where removed; several lines for many. */
export function renderDepthStrip({ blockCount, removed, clusters }: Depth, style: TerminalStyle): string {
  const room = Math.floor((style.width - GUTTER) / 2);
  const perLine = blockCount <= room ? blockCount : Math.max(room - (room % 10), 1);
  const gone = new Set(removed);
  const square = (layer: number): Ink => {
    const cluster = clusters?.[layer];
    if (gone.has(layer)) return { text: "□ ", front: removedColour };
    return { text: "■ ", front: cluster === undefined ? undefined : clusterColour(cluster) };
  };
  const lines = Array.from({ length: Math.ceil(blockCount / perLine) }, (_, line) => {
    const first = line * perLine;
    const count = Math.min(perLine, blockCount - first);
    const numbers = ruler({ cells: count, cellWidth: 2, step: 5, blockOf: (cell) => first + cell });
    const squares = Array.from({ length: count }, (_, i) => square(first + i));
    return [[{ text: numbers }], [{ text: " ".repeat(GUTTER) }, ...squares]];
  });
  return lines
    .flat()
    .map((line) => paint(line, style.colour))
    .join("\n");
}
