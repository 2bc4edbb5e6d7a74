import type { Paired } from "../../evaluation/accuracy.ts";
import { formatPercent, TEXT_WIDTH, wrapText } from "../../report/format.ts";

/** Above that a difference is taken for noise. */
const NOISE = 0.05;

/** What the items of a task say on which a model and its base differ. */
export function describePaired(name: string, { gained, lost, pValue }: Paired): string {
  const chance = `two equally good models differ as much in ${formatPercent(pValue)} of cases`;
  const meaning = pValue > NOISE ? "so this may be noise" : "so this is a difference";
  return wrapText(
    `${name}: ${lost} right before and no longer, ${gained} the other way; ${chance} (McNemar), ${meaning}.`,
    TEXT_WIDTH,
  );
}
