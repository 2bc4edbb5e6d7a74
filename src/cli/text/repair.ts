import type { MeasuredSet } from "../../documents/measurements.ts";
import type { MendedGap, Repair, TriedRepair } from "../../documents/repair.ts";
import type { Report } from "../../documents/report.ts";
import { isRepairable } from "../../repair/places.ts";
import {
  formatBytes,
  formatPercent,
  formatTable,
  TEXT_WIDTH as WIDTH,
  wrapText,
} from "../../report/format.ts";

/** What maps were tried, which are kept, and what they give back. */
export function describeRepair({ kind, tokens, sampled, heldBack, tried, refused }: Repair): string {
  const chosen = tried.find((one) => one.kind === kind);
  const wrap = (text: string) => wrapText(text, WIDTH, "    ");
  const written = sampled === undefined ? "" : `, ${sampled} of them the model's own words`;
  return [
    chosen ? `Repair by ${kind}, fitted on ${tokens} tokens${written}:` : "No repair is kept:",
    wrap(
      `  KL divergence ${heldBack.divergence.toFixed(4)} without, on ${heldBack.sequences} held-back pieces`,
    ),
    ...tried.map((one) => wrap(`  ${describeTried(one, heldBack.divergence)}`)),
    ...(chosen?.gaps ?? []).map((gap) =>
      wrap(`  ${gap.behind ? "behind it, layer" : "after layer"} ${describeGap(gap, tokens)}`),
    ),
    ...refused.map(({ kind, reason }) => wrap(`  no ${kind}: ${reason}`)),
  ].join("\n");
}

/** The sets that were tried with their repair, of which the best was chosen. */
export function describeRepaired(sets: readonly MeasuredSet[]): string[] {
  const rows = sets.flatMap(({ removedLayers, loss, repaired }) =>
    repaired
      ? [[removedLayers.join(", "), loss.toFixed(4), repaired.divergence.toFixed(4), repaired.kind ?? "none"]]
      : [],
  );
  if (rows.length === 0) return [];
  const head = ["best sets", "KL divergence", "repaired", "by"];
  return ["Tried with their repair, nats a token:", formatTable([head, ...rows])];
}

function describeTried({ kind, gaps, divergence, standardError }: TriedRepair, without: number): string {
  if (gaps.length === 0) return `with ${kind} it does not fall by more than its standard error`;
  const error = standardError === null ? "" : ` (± ${standardError.toFixed(4)})`;
  return `${divergence.toFixed(4)} with ${kind}${error}: gives back ${formatPercent(1 - divergence / without)}`;
}

/** Tokens for each feature below which the penalty does much of the work. */
const ENOUGH = 2;

function describeGap({ after, type, bytes, ridge, features }: MendedGap, tokens: number): string {
  const few =
    tokens < ENOUGH * features
      ? `, which decides what the text does not: ${tokens} tokens are few for ${features} features, give ${ENOUGH * features} or more (--calibration, --sequences)`
      : "";
  return `${after}: ${type}, ${bytes < 0 ? "−" : "+"}${formatBytes(Math.abs(bytes))}, λ ${ridge}${few}`;
}

/** What a repair might give back, of a removal that was measured without one. */
export function repairRemark({ plan, divergence }: Report): string | undefined {
  const { architecture, loops = 1 } = plan.model;
  if (plan.repair || !divergence || architecture === undefined || loops > 1 || !isRepairable(architecture))
    return undefined;
  return "--repair auto may give back some of that: two fifths of the KL divergence on the models tried (docs/repair.md).";
}
