import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { CLUSTER_COLOURS } from "../palette.ts";

/** What a figure is called and says, for those who do not see it. */
export interface Described {
  /** Unique on the page; letters and dashes. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

/** Renders a plot without a browser. @returns an `<svg>` element with role, title and description */
export function svg({ id, title, description }: Described, options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!doctype html><body></body>");
  const element = Plot.plot({
    ...options,
    document,
    className: "plot",
    style: { fontFamily: "inherit", background: "none", overflow: "visible", ...Object(options.style) },
  });
  element.setAttribute("id", id);
  element.setAttribute("role", "img");
  element.setAttribute("aria-labelledby", `${id}-title`);
  element.setAttribute("aria-describedby", `${id}-description`);
  for (const [name, text] of [
    ["desc", description],
    ["title", title],
  ] as const) {
    const child = document.createElementNS("http://www.w3.org/2000/svg", name);
    child.setAttribute("id", `${id}-${name === "desc" ? "description" : "title"}`);
    child.textContent = text;
    element.prepend(child);
  }
  element.querySelector("style")?.remove();
  // The image has one name; those that the library gives to its groups are not allowed on them.
  for (const group of element.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
  return element.outerHTML;
}

/** The colour of a cluster, as the page's style sheet names it; of no cluster, grey. */
export const clusterColour = (cluster: number | undefined): string =>
  cluster === undefined ? "var(--muted)" : `var(--cluster-${cluster % CLUSTER_COLOURS.light.length})`;

/** Layer numbers worth a label: every one of a few, every fifth or tenth of many. */
export function blockTicks(blocks: number): number[] {
  const step = blocks <= 32 ? 1 : blocks <= 64 ? 5 : 10;
  return Array.from({ length: Math.ceil(blocks / step) }, (_, i) => i * step);
}

/** Neighbouring layers of one cluster; `start` and `end` are the edges of the first and the last. */
export interface Run {
  readonly cluster: number;
  readonly start: number;
  readonly end: number;
}

export function clusterRuns(clusters: readonly number[]): Run[] {
  const firsts = clusters.flatMap((cluster, layer) => (clusters[layer - 1] === cluster ? [] : [layer]));
  return firsts.map((first, i) => ({
    cluster: clusters[first]!,
    start: first - 0.5,
    end: (firsts[i + 1] ?? clusters.length) - 0.5,
  }));
}
