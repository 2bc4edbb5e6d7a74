import type { BlockFactors } from "../documents/compensation.ts";
import type { GgufFile } from "../gguf/types.ts";
import { KEYS } from "./keys.ts";
import { originsOf, readNumbering } from "./numbering.ts";

/** The factors that lorp noted in a file whose blocks make up for removed ones. */
export interface NotedFactors {
  /** How they were found. */
  readonly mode: string;
  /** By the blocks' numbers before the removal, ascending; blocks that are missing were left as they are. */
  readonly factors: readonly BlockFactors[];
}

/** Reads what lorp notes in a compensated file; null for one without such a note, or with one that does not fit it. */
export function readFactors(file: GgufFile): NotedFactors | null {
  const value = (key: string) => file.metadata.get(key)?.decode().value;
  const mode = value(KEYS.compensation);
  const attention = value(KEYS.attentionFactors);
  const feedForward = value(KEYS.feedForwardFactors);
  const origins = originsOf(readNumbering(file));
  const fits = (factors: unknown): factors is number[] =>
    Array.isArray(factors) && factors.length === origins.length && factors.every(Number.isFinite);
  if (typeof mode !== "string" || !fits(attention) || !fits(feedForward)) return null;
  return {
    mode,
    factors: origins
      .flatMap((layer, i) =>
        layer === undefined ? [] : [{ layer, attention: attention[i]!, feedForward: feedForward[i]! }],
      )
      .filter((block) => block.attention !== 1 || block.feedForward !== 1),
  };
}
