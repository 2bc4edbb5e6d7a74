import type { KeptRepair } from "../model/session.ts";
import type { Mended } from "./equations.ts";
import type { StoredRepair } from "./rewrite.ts";

/** As a file holds it. */
export function storedOf(mended: readonly Mended[]): StoredRepair {
  const stored = (isRefit: boolean) =>
    new Map(
      mended
        .filter(({ place }) => (place.replaces !== undefined) === isRefit)
        .map(({ gap, stored }) => [gap.before, stored]),
    );
  return { refits: stored(true), bridges: stored(false) };
}

/** As it is held where the model runs. */
export function mapsOf(mended: readonly Mended[]): KeptRepair[] {
  return mended.map(({ repair }) => repair);
}

/** The maps are no longer needed where the model runs. */
export function release(maps: readonly KeptRepair[] = []): void {
  for (const map of maps) map.close();
}
