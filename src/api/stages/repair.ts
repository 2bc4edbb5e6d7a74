import type { Plan } from "../../documents/plan.ts";
import type { Repair } from "../../documents/repair.ts";
import { divergenceSource } from "../../evaluation/losses.ts";
import type { KeptRepair } from "../../model/session.ts";
import { better } from "../../repair/attempt.ts";
import { refitBehind } from "../../repair/behind.ts";
import { RepairError } from "../../repair/errors.ts";
import { type Judge, mendGap, mendRoughly } from "../../repair/fit.ts";
import { gapsOf } from "../../repair/gaps.ts";
import { REPAIR_KINDS, type RepairChoice, type RepairKind } from "../../repair/kinds.ts";
import { mapsOf, release, storedOf } from "../../repair/mended.ts";
import { tryRepairs } from "../../repair/repair.ts";
import type { StoredRepair } from "../../repair/rewrite.ts";
import { estimate } from "../../statistics.ts";
import type { DescribedModel } from "./describe.ts";
import { choicePieces } from "./objective.ts";
import type { OpenedModel } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";
import { impossible, placeBehind, possibleIn } from "./repair-possible.ts";
import { tokensIn } from "./repair-work.ts";
import { type Care, fittedOn, withRemoval } from "./with-removal.ts";

/** A Plan that says how it is repaired, and the maps that do it. */
export interface Repaired {
  readonly plan: Plan;
  readonly repair: StoredRepair | undefined;
  /** The same maps where the model runs, as long as it is open. */
  readonly live?: readonly KeptRepair[] | undefined;
}

/**
 * Fits the maps that make up for a Plan's removals on an open model, and measures what they give back on text that they
 * were not fitted on. Those that do not help are left out; the Plan then says so.
 * @throws RepairError when the kind that is asked for is impossible; RuntimeError, AbortedError
 */
export async function repair(
  described: DescribedModel,
  opened: OpenedModel,
  given: Plan,
  choice: RepairChoice,
  { inPlace, roughly = false, ...options }: ModelRunOptions & Care,
): Promise<Repaired> {
  const { repair: _, ...plan } = given;
  const gaps = gapsOf(plan.removedLayers);
  if (choice === "off" || gaps.length === 0) return { plan, repair: undefined };
  const asked: readonly RepairKind[] = choice === "auto" ? REPAIR_KINDS : [choice];
  const broken = { ...described, inPlace };
  const { possible, refused } = possibleIn(broken, opened, gaps, asked);
  if (choice !== "auto" && possible.length === 0) throw impossible(choice, refused[0]!.reason);
  const care = { ...options, roughly };
  return withRemoval(described, opened, plan, possible, gaps, care, async (removal, onTokens) => {
    const judge = judgeOf(opened, onTokens);
    const before = await judge({ skip: plan.removedLayers }, 1);
    if (before.some(Number.isNaN)) throw withoutNumbers(plan);
    const trial = { broken, removal, gaps, judge, before, mend: roughly ? mendRoughly : mendGap };
    const { attempts, refused: unsolved } = await tryRepairs(possible, trial);
    const chosen = better(attempts);
    const behind = roughly ? undefined : placeBehind(broken, opened, gaps);
    const best = chosen && behind ? await refitBehind(chosen, behind, trial) : chosen;
    const told: Repair = {
      kind: best?.kind ?? null,
      ...(await fittedOn(opened)),
      tokens: tokensIn(removal.calibration),
      ...(await sampledIn(opened)),
      heldBack: { divergence: estimate(before).mean, sequences: before.length },
      tried: attempts.map((attempt) => (attempt === chosen ? best! : attempt).tried),
      refused: [...refused, ...unsolved],
    };
    for (const attempt of attempts) if (attempt !== chosen) release(mapsOf(attempt.mended));
    return {
      plan: { ...plan, repair: told },
      repair: best && storedOf(best.mended),
      live: best && mapsOf(best.mended),
    };
  });
}

/** Judges by the pieces that a choice is measured on. */
function judgeOf(opened: OpenedModel, onTokens: (tokens: number) => void): Judge {
  const pieces = choicePieces(opened);
  const divergence = divergenceSource(opened.lanes, pieces, opened.model.info.vocabularySize);
  return (changes, share) =>
    Promise.all(
      pieces.sequences.slice(0, Math.round(share * pieces.sequences.length)).map(async (_, index) => {
        const { mean } = estimate(await divergence(changes, index));
        onTokens(pieces.sequences[index]!.length);
        return mean;
      }),
    );
}

/** How much of what is fitted on the model wrote, if any. */
async function sampledIn(opened: OpenedModel): Promise<Pick<Repair, "sampled">> {
  const tokens = tokensIn(await opened.sampled());
  return tokens === 0 ? {} : { sampled: tokens };
}

/** Of the model with what is kept of its repair, nats a token. */
export function divergenceOf({ kind, tried, heldBack }: Repair): number {
  return tried.find((one) => one.kind === kind)?.divergence ?? heldBack.divergence;
}

function withoutNumbers({ removedLayers }: Plan): RepairError {
  return new RepairError(
    "REPAIR_IMPOSSIBLE",
    `Without the layers ${removedLayers.join(", ")} the model computes no numbers (NaN), so what a repair gives back cannot be measured; choose other layers, or use \`repair: "off"\`.`,
  );
}
