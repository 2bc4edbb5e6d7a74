/** Colours that the page and the terminal share. */

export type Rgb = readonly [red: number, green: number, blue: number];

/** From unlike (similarity 0) to alike (1): more ink on paper, more light on a dark ground. */
const STOPS = {
  light: ["#f6f4ee", "#d5e9dc", "#93d0bd", "#4eabae", "#34799f", "#35477f", "#241b45"],
  dark: ["#151826", "#27305c", "#2b5588", "#2f86a0", "#4bb3a5", "#92d2a8", "#e6f3c4"],
};

/** Number of steps in a scale of similarity. */
export const LEVELS = 64;

/** The step of a similarity; what is below 0 counts as 0. */
export function level(similarity: number): number {
  return Math.round(Math.min(Math.max(similarity, 0), 1) * (LEVELS - 1));
}

/** LEVELS colours, evenly spaced between the stops. */
export function similarityScale(theme: keyof typeof STOPS): Rgb[] {
  const stops = STOPS[theme].map(parseHex);
  return Array.from({ length: LEVELS }, (_, step) => {
    const position = (step / (LEVELS - 1)) * (stops.length - 1);
    const below = Math.min(Math.floor(position), stops.length - 2);
    return mix(stops[below]!, stops[below + 1]!, position - below);
  });
}

/** One colour a cluster, in the order of depth; used again from the start when there are more clusters. */
export const CLUSTER_COLOURS = {
  light: ["#5a63c9", "#2583b8", "#198f7c", "#6d962b", "#8a6fb8", "#5f7f95"],
  dark: ["#8f98f0", "#58b0e0", "#4cc4ac", "#a3c95c", "#bda3ea", "#97b5c8"],
};

export const REMOVED_COLOUR = { light: "#cf3f1d", dark: "#ff7d58" };

export function hex(colour: Rgb): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

export function parseHex(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 0xff, value & 0xff];
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * share);
  return [part(0), part(1), part(2)];
}
