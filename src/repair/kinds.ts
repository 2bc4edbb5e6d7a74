/** Where a linear map that does what removed layers did has its place (docs/repair.md). */
export const REPAIR_KINDS = ["refit", "bridge"] as const;
export type RepairKind = (typeof REPAIR_KINDS)[number];

/** `auto` takes the better of those that the architecture allows. */
export const REPAIR_CHOICES = ["auto", "off", ...REPAIR_KINDS] as const;
export type RepairChoice = (typeof REPAIR_CHOICES)[number];

export const DEFAULT_REPAIR: RepairChoice = "off";
