import type { MendedGap, Repair } from "../documents/repair.ts";

/** The maps that a repair keeps, by where they stand: in layers that were put in, or in place of matrices. */
export function repairMaps({ kind, tried }: Repair): {
  readonly bridges: readonly MendedGap[];
  readonly refits: readonly MendedGap[];
} {
  const maps = tried.find((one) => one.kind === kind)?.gaps ?? [];
  const isBridge = ({ behind }: MendedGap) => kind === "bridge" && !behind;
  return { bridges: maps.filter(isBridge), refits: maps.filter((map) => !isBridge(map)) };
}
