import * as Plot from "@observablehq/plot";
import { pairs, similarityOf } from "../../analysis/similarity.ts";
import type { SimilarityMatrix } from "../../documents/analysis.ts";
import { mean } from "../../statistics.ts";
import { type Described, svg } from "./svg.ts";

/** How similarity falls with distance: every pair, the mean at each distance, and the mean of all that the RLS is made of. */
export function distanceFigure(described: Described, similarity: SimilarityMatrix, overall: number): string {
  const all = pairs([...similarity.keys()]).map(([i, j]) => {
    return { distance: j - i, similarity: similarityOf(similarity, i, j) };
  });
  const means = similarity.slice(1).map((_, index) => {
    const there = all.filter(({ distance }) => distance === index + 1);
    return { distance: index + 1, similarity: mean(there.map((pair) => pair.similarity)) };
  });
  const low = Math.min(0, ...all.map((pair) => pair.similarity));
  return svg(described, {
    width: 520,
    height: 300,
    marginLeft: 44,
    marginRight: 12,
    marginTop: 24,
    marginBottom: 40,
    style: { fontSize: "11px" },
    x: {
      label: "distance in layers",
      labelAnchor: "center",
      labelArrow: "none",
      domain: [0.5, similarity.length - 0.5],
    },
    y: { label: "cosine similarity", labelArrow: "none", domain: [low, 1], grid: true, ticks: 5 },
    marks: [
      dots(all, similarity.length <= 40 ? 5 : 3),
      Plot.ruleY([overall], { stroke: "var(--muted)", strokeDasharray: "4,3" }),
      Plot.lineY(means, { x: "distance", y: "similarity", stroke: "var(--surface)", strokeWidth: 5 }),
      Plot.lineY(means, { x: "distance", y: "similarity", stroke: "var(--accent)", strokeWidth: 2.5 }),
      Plot.text([overall], {
        text: (value) => `mean of all pairs ${value.toFixed(3)}`,
        frameAnchor: "right",
        y: (value) => value,
        dx: -4,
        dy: -9,
        fill: "var(--muted)",
        stroke: "var(--surface)",
        strokeWidth: 4,
      }),
    ],
  });
}

interface Pair {
  readonly distance: number;
  readonly similarity: number;
}

/** All dots as one path, since there may be thousands: a line of no length with round ends is a dot. */
function dots(points: readonly Pair[], diameter: number): Plot.RenderFunction {
  return (_index, { x, y }, _values, _dimensions, { document }) => {
    const place = ({ distance, similarity }: Pair) =>
      `M${x!(distance).toFixed(1)} ${y!(similarity).toFixed(1)}h0`;
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", points.map(place).join(""));
    path.setAttribute("stroke", "var(--accent)");
    path.setAttribute("stroke-opacity", "0.35");
    path.setAttribute("stroke-linecap", "round");
    path.setAttribute("stroke-width", String(diameter));
    return path;
  };
}
