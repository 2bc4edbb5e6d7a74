import type { KeptRepair } from "../model/session.ts";
import type { Mended } from "./fit.ts";
import type { RepairKind } from "./kinds.ts";
import type { StoredRepair } from "./rewrite.ts";

/** As a file holds it. */
export function storedOf(kind: RepairKind, mended: readonly Mended[]): StoredRepair {
  return { kind, maps: new Map(mended.map(({ gap, stored }) => [gap.before, stored])) };
}

/** As it is held where the model runs. */
export function mapsOf(mended: readonly Mended[]): KeptRepair[] {
  return mended.map(({ repair }) => repair);
}

/** The maps are no longer needed where the model runs. */
export function release(maps: readonly KeptRepair[] = []): void {
  for (const map of maps) map.close();
}
