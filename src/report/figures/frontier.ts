import * as Plot from "@observablehq/plot";
import { type Described, svg } from "./svg.ts";

/** A variant of a model: what it takes of something, and what it loses. */
export interface Point {
  readonly name: string;
  /** One colour each. */
  readonly kind: string;
  readonly resource: number;
  readonly loss: number;
  /** Whether no other one takes less and loses less. */
  readonly best: boolean;
}

const WIDTH = 510;
const HEIGHT = 300;

/** Losses below this are drawn there, nats: a logarithm has no 0. */
const LEAST = 0.001;

/** Loss, on a logarithmic scale, against what is taken; the best are joined and named. */
export function frontierFigure(
  described: Described,
  points: readonly Point[],
  resource: { readonly label: string; readonly original: number; format(value: number): string },
): string {
  const kinds = [...new Set(points.map(({ kind }) => kind))];
  const drawn = points.map((point) => ({ ...point, loss: Math.max(point.loss, LEAST) }));
  const best = drawn.filter((point) => point.best).toSorted((a, b) => a.loss - b.loss);
  const across = [resource.original, ...drawn.map((point) => point.resource)];
  const middle = (Math.min(...across) + Math.max(...across)) / 2;
  return svg(described, {
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 52,
    marginRight: 24,
    marginTop: 24,
    marginBottom: 40,
    style: { fontSize: "12px" },
    x: {
      label: resource.label,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: 4,
      tickFormat: resource.format,
      inset: 8,
    },
    y: {
      type: "log",
      label: "KL divergence, nats a token",
      labelArrow: "none",
      grid: true,
      ticks: 5,
      tickFormat: String,
    },
    marks: [
      Plot.ruleX([resource.original], { stroke: "var(--muted)", strokeDasharray: "4,3" }),
      Plot.lineY(best, { x: "resource", y: "loss", stroke: "var(--muted)", curve: "step-before" }),
      kinds.map((kind, index) =>
        Plot.dot(
          drawn.filter((point) => point.kind === kind),
          {
            x: "resource",
            y: "loss",
            fill: `var(--series-${index})`,
            r: 4,
            stroke: "var(--surface)",
            symbol: (["circle", "square", "triangle"] as const)[index % 3],
          },
        ),
      ),
      // Names keep within the figure: those on its right half stand to the left of their marks.
      [false, true].map((onRight) =>
        Plot.text(
          best.filter(({ resource: value }) => value > middle === onRight),
          {
            x: "resource",
            y: "loss",
            dx: onRight ? -8 : 8,
            dy: -8,
            text: "name",
            textAnchor: onRight ? "end" : "start",
            fill: "var(--ink)",
          },
        ),
      ),
    ],
  });
}
