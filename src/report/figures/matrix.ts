import * as Plot from "@observablehq/plot";
import type { SimilarityMatrix } from "../../documents/analysis.ts";
import { LEVELS, level } from "../palette.ts";
import { blockTicks, clusterColour, clusterRuns, type Described, type Run, svg } from "./svg.ts";

/** The drawing's own pixels: its side, and the room for the labels along the top and the left edge. */
export const MATRIX_SIDE = 640;
export const MATRIX_MARGIN = 44;

export interface MatrixFigure {
  readonly similarity: SimilarityMatrix;
  readonly clusters: readonly number[];
  readonly removed: readonly number[];
}

/**
 * The similarity matrix as a heat map, row and column 0 first: clusters outlined, and banded along the edges; removed
 * layers crossed out along the edges and on the diagonal.
 */
export function matrixFigure(described: Described, { similarity, clusters, removed }: MatrixFigure): string {
  const blocks = similarity.length;
  const runs = clusterRuns(clusters);
  const ticks = { ticks: blockTicks(blocks), tickSize: 0, fontSize: 11, label: null, tickFormat: String };
  const band = { stroke: (run: Run) => clusterColour(run.cluster), strokeWidth: 5 };
  const cross = {
    symbol: "times",
    stroke: "var(--removed)",
    strokeWidth: 2,
    r: Math.min(3.4, 26 / blocks + 1.6),
  } as const;
  return svg(described, {
    width: MATRIX_SIDE,
    height: MATRIX_SIDE,
    marginTop: MATRIX_MARGIN,
    marginLeft: MATRIX_MARGIN,
    marginRight: 0,
    marginBottom: 0,
    x: { domain: [-0.5, blocks - 0.5], axis: null },
    y: { domain: [blocks - 0.5, -0.5], axis: null },
    marks: [
      cells(similarity),
      outlines(runs, "var(--surface)", 4.5),
      outlines(runs, "var(--ink)", 1.5),
      Plot.ruleY(runs, { ...band, y: -0.5, dy: -7, x1: "start", x2: "end" }),
      Plot.ruleX(runs, { ...band, x: -0.5, dx: -7, y1: "start", y2: "end" }),
      Plot.axisX({ ...ticks, anchor: "top", dy: -17 }),
      Plot.axisY({ ...ticks, anchor: "left", dx: -17 }),
      Plot.dot(removed, { ...cross, x: (layer) => layer, y: -0.5, dy: -16 }),
      Plot.dot(removed, { ...cross, x: -0.5, y: (layer) => layer, dx: -16 }),
      Plot.dot(removed, { ...cross, x: (layer) => layer, y: (layer) => layer }),
    ],
  });
}

/** A square round every run; a cluster in several pieces has several, of one colour along the edges. */
function outlines(runs: readonly Run[], stroke: string, strokeWidth: number): Plot.Markish {
  const sides = { x1: "start", x2: "end", y1: "start", y2: "end" };
  return Plot.rect(runs, { ...sides, fill: "none", stroke, strokeWidth, strokeLinejoin: "round" });
}

/**
 * All cells, as one path for each step of the scale, so that 80 × 80 of them stay small and take their colours from
 * the page's style sheet.
 */
function cells(similarity: SimilarityMatrix): Plot.RenderFunction {
  return (_index, _scales, _values, { marginLeft, marginTop, width, marginRight }, { document }) => {
    const create = (name: string) => document.createElementNS("http://www.w3.org/2000/svg", name);
    const group = create("g");
    const cell = (width - marginLeft - marginRight) / similarity.length;
    group.setAttribute("transform", `translate(${marginLeft},${marginTop}) scale(${cell})`);
    group.setAttribute("shape-rendering", "crispEdges");
    cellPaths(similarity).forEach((path, step) => {
      if (path === "") return;
      const element = create("path");
      element.setAttribute("fill", `var(--similarity-${step})`);
      // So that no light shows between cells where edges are smoothed, as on paper.
      element.setAttribute("stroke", `var(--similarity-${step})`);
      element.setAttribute("stroke-width", "0.04");
      element.setAttribute("d", path);
      group.append(element);
    });
    return group;
  };
}

/** One path a step, in units of cells; neighbours of one step in a row are one rectangle. */
function cellPaths(similarity: SimilarityMatrix): string[] {
  const paths: string[] = new Array(LEVELS).fill("");
  similarity.forEach((row, y) => {
    const steps = row.map(level);
    for (let x = 0; x < steps.length; ) {
      const step = steps[x]!;
      const start = x;
      while (steps[x] === step) x++;
      paths[step] += `M${start} ${y}h${x - start}v1H${start}z`;
    }
  });
  return paths;
}
