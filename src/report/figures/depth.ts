import * as Plot from "@observablehq/plot";
import { blockTicks, clusterColour, type Described, svg } from "./svg.ts";

const WIDTH = 1040;
/** Between a layer and the end of its place, in layers. */
const GAP = 0.07;

export interface DepthFigure {
  /** The cluster of each layer, as far as known. */
  readonly clusters: readonly (number | undefined)[];
  /** Removed layers in the order of removal. */
  readonly removals: readonly number[];
}

interface Block {
  /** Position along the strip, in layers. */
  readonly x: number;
  readonly cluster: number | undefined;
}

/**
 * The depth of the model as a strip of layers; once some are removed, a second strip below shows the model that is
 * left, and lines lead from each kept layer to its new place. Removed layers carry the order of their removal.
 */
export function depthFigure(described: Described, { clusters, removals }: DepthFigure): string {
  const blocks = clusters.length;
  const order = new Map(removals.map((layer, index) => [layer, index + 1]));
  const before = clusters.map((cluster, layer) => ({ x: layer, cluster, layer }));
  const kept = before.filter(({ layer }) => !order.has(layer));
  const after = kept.map((block, index) => ({
    ...block,
    x: index + removals.length / 2,
    from: block.x,
    index,
  }));
  const cut = before.filter(({ layer }) => order.has(layer));
  const pruned = removals.length > 0;
  const many = blocks > 48;
  const box = (y1: number, y2: number) => ({
    x1: ({ x }: Block) => x - 0.5 + GAP,
    x2: ({ x }: Block) => x + 0.5 - GAP,
    y1,
    y2,
    rx: many ? 2 : 4,
  });
  const fill = ({ cluster }: Block) => clusterColour(cluster);
  const label = { fontSize: 11, fill: "var(--muted)", fontVariant: "tabular-nums" } as const;
  const ticks = new Set(blockTicks(blocks));
  const newTicks = new Set(blockTicks(after.length));
  const [top, bottom] = [
    [1, 0.74],
    [0.26, 0],
  ] as const;
  return svg(described, {
    width: WIDTH,
    height: pruned ? 216 : 92,
    marginLeft: 6,
    marginRight: 6,
    marginTop: 24,
    marginBottom: pruned ? 24 : 8,
    x: { domain: [-0.5, blocks - 0.5], axis: null },
    y: { domain: pruned ? [0, 1] : [top[1], top[0]], axis: null },
    marks: [
      Plot.link(pruned ? after : [], {
        x1: "from",
        x2: "x",
        y1: top[1],
        y2: bottom[0],
        curve: "bump-y",
        stroke: fill,
        strokeOpacity: 0.45,
        strokeWidth: many ? 1.5 : 2.5,
      }),
      Plot.rect(kept, { ...box(...top), fill }),
      Plot.rect(cut, {
        ...box(...top),
        fill: "var(--removed-ground)",
        stroke: "var(--removed)",
        strokeWidth: many ? 1 : 1.5,
        strokeDasharray: many ? "none" : "3,2",
      }),
      Plot.text(cut, {
        x: "x",
        y: (top[0] + top[1]) / 2,
        text: ({ layer }) => String(order.get(layer)),
        fill: "var(--removed)",
        fontSize: many ? 7.5 : 13,
        fontWeight: 700,
      }),
      Plot.text(
        before.filter(({ layer }) => ticks.has(layer)),
        { x: "x", y: top[0], dy: -11, text: ({ layer }) => String(layer), ...label },
      ),
      ...(pruned
        ? [
            Plot.rect(after, { ...box(...bottom), fill }),
            Plot.text(
              after.filter(({ index }) => newTicks.has(index)),
              { x: "x", y: bottom[1], dy: 12, text: ({ index }) => String(index), ...label },
            ),
          ]
        : []),
    ],
  });
}
