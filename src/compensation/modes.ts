/** How factors that make up for removed layers are found. */
export const COMPENSATION_MODES = ["magnitude", "fit"] as const;
export type CompensationMode = (typeof COMPENSATION_MODES)[number];

export const COMPENSATION_CHOICES = ["off", ...COMPENSATION_MODES] as const;
export type CompensationChoice = (typeof COMPENSATION_CHOICES)[number];

export const DEFAULT_COMPENSATION: CompensationChoice = "off";
