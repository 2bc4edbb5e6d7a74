import * as Plot from "@observablehq/plot";
import { LOCALITY_RANGES } from "../../analysis/locality.ts";
import { type Described, svg } from "./svg.ts";

/** Representation locality scores published with LoRP (arXiv 2605.27786). */
export const PUBLISHED_RLS = [
  { name: "Llama-3.1-8B", rls: 1.149 },
  { name: "OLMo-3-7B", rls: 0.941 },
  { name: "Mistral-Nemo-12B", rls: 0.926 },
  { name: "Qwen3-8B", rls: 0.685 },
  { name: "Qwen3-14B", rls: 0.644 },
] as const;

const WIDTH = 520;

/** Where the model's RLS lies among published ones, and how many clusters each range gets. */
export function localityFigure(described: Described, name: string, rls: number): string {
  const domain: [number, number] = [Math.min(0.35, rls - 0.1), Math.max(1.3, rls + 0.1)];
  const [low, high] = domain;
  const perPixel = (high - low) / (WIDTH - 24);
  const ranges = LOCALITY_RANGES.map(({ to, clusters }, index) => ({
    from: Math.max(LOCALITY_RANGES[index - 1]?.to ?? low, low),
    to: Math.min(to, high),
    k: clusters,
  }));
  const published = stacked(PUBLISHED_RLS, perPixel);
  return svg(described, {
    width: WIDTH,
    height: 300,
    marginLeft: 12,
    marginRight: 12,
    marginTop: 24,
    marginBottom: 40,
    style: { fontSize: "11px" },
    x: { label: "RLS", labelAnchor: "center", labelArrow: "none", domain, ticks: 8 },
    y: { domain: [-2.8, 6], axis: null },
    marks: [
      Plot.rect(ranges, {
        x1: "from",
        x2: "to",
        y1: -2.8,
        y2: 6,
        insetLeft: 1,
        insetRight: 1,
        fill: ({ k }) => `var(--range-${k})`,
      }),
      Plot.text(ranges, {
        x: ({ from, to }) => (from + to) / 2,
        y: 6,
        dy: -10,
        text: ({ k }) => `${k} clusters`,
        fill: "var(--muted)",
        fontWeight: 600,
      }),
      Plot.ruleY([0], { stroke: "var(--muted)", strokeOpacity: 0.6 }),
      Plot.ruleX(published, { x: "rls", y1: 0, y2: "height", stroke: "var(--muted)", strokeOpacity: 0.5 }),
      Plot.dot(published, {
        x: "rls",
        y: 0,
        r: 4,
        fill: "var(--surface)",
        stroke: "var(--muted)",
        strokeWidth: 2,
      }),
      Plot.text(published, {
        x: "rls",
        y: "height",
        dx: -5,
        dy: 5,
        textAnchor: "end",
        text: label,
        fill: "var(--ink)",
      }),
      Plot.ruleX([rls], { y1: 0, y2: -1.1, stroke: "var(--accent)", strokeWidth: 2 }),
      Plot.dot([rls], {
        x: (value) => value,
        y: 0,
        r: 7,
        fill: "var(--accent)",
        stroke: "var(--surface)",
        strokeWidth: 2,
      }),
      Plot.text([rls], {
        x: (value) => within(value, textWidth(name, 7.6) * perPixel, domain),
        y: -1.1,
        dy: 12,
        lineAnchor: "top",
        text: (value) => `${name}\n${value.toFixed(3)}`,
        fill: "var(--accent-ink)",
        fontSize: 13,
        fontWeight: 700,
      }),
    ],
  });
}

interface Labelled {
  readonly name: string;
  readonly rls: number;
}

/**
 * Gives each label a height. A label ends at its model and lies above those of all models below its text, so that
 * neither another label nor another model's line runs through it.
 */
function stacked(models: readonly Labelled[], perPixel: number) {
  const placed: (Labelled & { readonly height: number })[] = [];
  for (const model of models.toSorted((a, b) => a.rls - b.rls)) {
    const left = model.rls - textWidth(label(model), 6.6) * perPixel;
    const below = placed.filter(({ rls }) => rls > left).map(({ height }) => height);
    placed.push({ ...model, height: 1 + Math.max(0, ...below) });
  }
  return placed;
}

const label = ({ name, rls }: Labelled) => `${name} ${rls.toFixed(3)}`;

const textWidth = (text: string, perLetter: number) => text.length * perLetter;

/** Moves the centre of something `width` wide so that it stays within the domain. */
const within = (centre: number, width: number, [low, high]: [number, number]) =>
  Math.min(Math.max(centre, low + width / 2), high - width / 2);
