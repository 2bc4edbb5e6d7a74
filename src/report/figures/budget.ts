import * as Plot from "@observablehq/plot";
import { type Described, svg } from "./svg.ts";

/** One measured set of layers. */
export interface Measured {
  readonly method: string;
  readonly budget: number;
  readonly perplexity: number;
}

const WIDTH = 1040;
const HEIGHT = 360;
const MARGIN = { marginLeft: 52, marginRight: 120, marginTop: 28, marginBottom: 40 };

/** Perplexity against the number of removed layers, one line a method, all starting at the original. */
export function budgetFigure(described: Described, original: number, measured: readonly Measured[]): string {
  const methods = [...new Set(measured.map(({ method }) => method))];
  const lines = methods.map((method, index) => ({
    method,
    colour: `var(--series-${index % 8})`,
    points: [
      { method, budget: 0, perplexity: original },
      ...measured.filter((point) => point.method === method).toSorted((a, b) => a.budget - b.budget),
    ],
  }));
  const values = [original, ...measured.map(({ perplexity }) => perplexity)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = {
    type: high > 4 * low ? "log" : "linear",
    domain: [low * 0.98, high * 1.02],
    range: [HEIGHT - MARGIN.marginBottom, MARGIN.marginTop],
  } as const;
  const heights = spread(
    lines.map(({ points }) => Plot.scale({ y }).apply(points.at(-1)!.perplexity) as number),
    14,
  );
  return svg(described, {
    width: WIDTH,
    height: HEIGHT,
    ...MARGIN,
    style: { fontSize: "12px" },
    x: {
      label: "layers removed",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: budgets(measured),
      tickFormat: String,
    },
    y: { ...y, label: "perplexity", labelArrow: "none", grid: true, ticks: 6 },
    marks: [
      Plot.ruleY([original], { stroke: "var(--muted)", strokeDasharray: "4,3" }),
      lines.map(({ points, colour }) => [
        Plot.lineY(points, { x: "budget", y: "perplexity", stroke: colour, strokeWidth: 2.2 }),
        Plot.dot(points, { x: "budget", y: "perplexity", fill: colour, r: 3.2, stroke: "var(--surface)" }),
      ]),
      lines.map(({ points, colour, method }, index) => {
        const last = points.at(-1)!;
        const offset = heights[index]! - (Plot.scale({ y }).apply(last.perplexity) as number);
        return Plot.text([last], {
          x: "budget",
          y: "perplexity",
          dx: 10,
          dy: offset,
          text: () => method,
          textAnchor: "start",
          fill: colour,
          fontWeight: 600,
        });
      }),
    ],
  });
}

const budgets = (measured: readonly Measured[]) =>
  [0, ...new Set(measured.map(({ budget }) => budget))].toSorted((a, b) => a - b);

/** Moves positions apart until neighbours are at least `gap` apart, keeping their order. */
function spread(positions: readonly number[], gap: number): number[] {
  const order = positions.map((_, index) => index).toSorted((a, b) => positions[a]! - positions[b]!);
  const moved = [...positions];
  order.slice(1).forEach((index, place) => {
    moved[index] = Math.max(moved[index]!, moved[order[place]!]! + gap);
  });
  return moved;
}
