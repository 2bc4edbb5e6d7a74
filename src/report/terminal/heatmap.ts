import type { SimilarityMatrix } from "../../documents/analysis.ts";
import { type Ink, paint, removedColour, similarityColour, type TerminalStyle } from "./colour.ts";
import { GUTTER, ruler } from "./ruler.ts";

/** Up to so many layers, a cell is two characters wide and a line high; above, one wide and half a line high. */
const LARGE_CELLS = 24;

/** Without colours: from unlike to alike. */
const SHADES = [" ", "░", "▒", "▓", "█"];

/**
 * A similarity matrix as text, row 0 first, layers numbered along the top and the left; removed layers are crossed
 * above their column. A matrix that is too wide is averaged down to what fits.
 */
export function renderHeatmap(
  similarity: SimilarityMatrix,
  style: TerminalStyle,
  removed: readonly number[] = [],
): string {
  const blocks = similarity.length;
  const large = style.colour === "none" || blocks <= LARGE_CELLS;
  const cellWidth = large ? 2 : 1;
  const room = Math.floor((style.width - GUTTER) / cellWidth);
  const share = Math.ceil(blocks / room);
  const cells = averaged(similarity, share);
  const crossed = new Set(removed.map((layer) => Math.floor(layer / share)));
  const crosses = cells.map((_, i): Ink => {
    return crossed.has(i)
      ? { text: "×".padEnd(cellWidth), front: removedColour }
      : { text: " ".repeat(cellWidth) };
  });
  const gutter = (row: number): Ink => ({ text: `${String(row * share).padStart(GUTTER - 1)} ` });
  const lines = large ? wholeLines(cells, style, gutter) : halfLines(cells, gutter);
  return [
    [
      {
        text: ruler({
          cells: cells.length,
          cellWidth,
          step: share === 1 ? 5 : 10,
          blockOf: (cell) => cell * share,
        }),
      },
    ],
    ...(removed.length > 0 ? [[{ text: " ".repeat(GUTTER) }, ...crosses]] : []),
    ...lines,
  ]
    .map((line) => paint(line, style.colour))
    .join("\n");
}

function wholeLines(
  cells: SimilarityMatrix,
  { colour }: TerminalStyle,
  gutter: (row: number) => Ink,
): Ink[][] {
  const cell = (value: number): Ink =>
    colour === "none" ? { text: shade(value).repeat(2) } : { text: "  ", back: similarityColour(value) };
  return cells.map((row, i) => [gutter(i), ...row.map(cell)]);
}

/** An upper half block shows one row in its own colour and the next in that behind it. */
function halfLines(cells: SimilarityMatrix, gutter: (row: number) => Ink): Ink[][] {
  return cells.flatMap((row, i) => {
    if (i % 2 === 1) return [];
    const below = cells[i + 1];
    return [
      [
        gutter(i),
        ...row.map((value, j): Ink => {
          return { text: "▀", front: similarityColour(value), back: below && similarityColour(below[j]!) };
        }),
      ],
    ];
  });
}

const shade = (similarity: number) =>
  SHADES[Math.round(Math.min(Math.max(similarity, 0), 1) * (SHADES.length - 1))]!;

/** Each `share` × `share` cells as their mean. */
function averaged(similarity: SimilarityMatrix, share: number): SimilarityMatrix {
  const size = Math.ceil(similarity.length / share);
  const bin = (i: number) => similarity.slice(i * share, (i + 1) * share);
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => {
      const values = bin(i).flatMap((row) => row.slice(j * share, (j + 1) * share));
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    }),
  );
}
