import { OWN_TEXT } from "../../calibration/load.ts";

/** What to do where only the package's own text was measured on; undefined where the user gave one. */
export function purposeRemark(name: string, option: "--calibration" | "--text"): string | undefined {
  return name === OWN_TEXT
    ? `Measured on mixed text: ${option} your-text.txt measures what it costs for your use.`
    : undefined;
}
