import type { Comparison } from "../documents/comparison.ts";
import { formatBytes, formatLayers } from "./format.ts";
import { isRuined } from "./verdict.ts";

/** Which variants of a model are the best there are for what they take, and of what kind those are. */

export type Variant = NonNullable<Comparison["variants"]>[number];

/** Something that people want little of; of speeds their inverse. */
export interface Resource {
  readonly name: string;
  /** What is said of the variants that are best by it. */
  readonly praise: string;
  of(variant: Variant): number;
  format(variant: Variant): string;
  /** As it is drawn on an axis. */
  shown(variant: Variant): number;
  tick(value: number): string;
}

const times = (factor: number) => `× ${factor.toFixed(2)}`;

export const RESOURCES: readonly Resource[] = [
  {
    name: "size",
    praise: "The smallest file for what it loses",
    of: ({ bytes }) => bytes,
    format: ({ bytes }) => formatBytes(bytes),
    shown: ({ bytes }) => bytes,
    tick: formatBytes,
  },
  {
    name: "generation",
    praise: "The fastest generation",
    of: ({ speedup }) => 1 / speedup.generation,
    format: ({ speedup }) => times(speedup.generation),
    shown: ({ speedup }) => speedup.generation,
    tick: times,
  },
  {
    name: "prompt",
    praise: "The fastest prompt",
    of: ({ speedup }) => 1 / speedup.prompt,
    format: ({ speedup }) => times(speedup.prompt),
    shown: ({ speedup }) => speedup.prompt,
    tick: times,
  },
  {
    name: "cache",
    praise: "The smallest cache",
    of: ({ cacheBytes }) => cacheBytes,
    format: ({ cacheBytes }) => formatBytes(cacheBytes),
    shown: ({ cacheBytes }) => cacheBytes,
    tick: formatBytes,
  },
];

const lossOf = ({ measures }: Variant) => measures[0]?.klDivergence ?? Number.POSITIVE_INFINITY;

/** Differences of timed speeds below this share are taken for none. */
const NOISE = 0.03;

/**
 * The variants that no other one beats in both loss (on the first text) and a resource, by ascending loss; neither the
 * original nor what is ruined.
 */
export function bestBy(variants: readonly Variant[], { of }: Resource): Variant[] {
  const usable = variants
    .filter(({ measures }) => !isRuined(measures[0]?.verdict))
    .toSorted((a, b) => lossOf(a) - lossOf(b) || of(a) - of(b));
  const best: Variant[] = [];
  for (const variant of usable) {
    const last = best.at(-1);
    if (!last || of(variant) < (1 - NOISE) * of(last)) best.push(variant);
  }
  return best.filter(({ type, removedLayers }) => type !== null || removedLayers.length > 0);
}

export const KINDS = {
  type: "a smaller type alone",
  removal: "fewer layers alone",
  both: "both together",
} as const;

export function kindOf({ type, removedLayers }: Variant): keyof typeof KINDS {
  if (type === null) return "removal";
  return removedLayers.length > 0 ? "both" : "type";
}

/** `Q4_K_M without 11–12`. */
export function nameVariant({ type, removedLayers }: Variant): string {
  if (removedLayers.length === 0) return type ?? "as it is";
  return `${type === null ? "" : `${type} `}without ${formatLayers(removedLayers)}`;
}

/** What wins where, a sentence for each resource. */
export function describeWinners(variants: readonly Variant[]): string[] {
  return RESOURCES.map((resource) => {
    const best = bestBy(variants, resource);
    if (best.length === 0)
      return `${resource.praise}: no variant that is of use is better than the original.`;
    const kinds = (Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap((kind) => {
      const of = best.filter((variant) => kindOf(variant) === kind);
      return of.length === 0 ? [] : [`${KINDS[kind]} (${of.map(nameVariant).join("; ")})`];
    });
    return `${resource.praise}: ${kinds.join(", ")}.`;
  });
}
