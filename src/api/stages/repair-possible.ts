import { bytesToSolve } from "../../repair/equations.ts";
import { RepairError } from "../../repair/errors.ts";
import { behindLast, type Gap } from "../../repair/gaps.ts";
import type { RepairChoice, RepairKind } from "../../repair/kinds.ts";
import { type Broken, KINDS, possibleKinds } from "../../repair/places.ts";
import { formatBytes } from "../../report/format.ts";
import type { OpenedModel } from "./open.ts";
import { requirePredictions } from "./predictions.ts";

/** Refuses, before any work is done, what the model cannot have at any gap. @throws RepairError, ArchitectureError */
export function checkRepair(model: Broken, choice: RepairChoice | undefined): void {
  if (choice === undefined || choice === "off") return;
  requirePredictions(model.architecture, "`repair`");
  if (choice === "auto") return;
  const gaps = Array.from({ length: model.architecture.analysedBlocks }, (_, before) => ({
    before,
    last: before + 1,
  }));
  const reasons = gaps.map((gap) => KINDS[choice].refusal(model, gap));
  const [reason] = reasons;
  if (reason !== undefined && !reasons.includes(undefined)) throw impossible(choice, reason);
}

/** Kinds that a model can have at all these gaps with the memory that may be used, and why it cannot have the others. */
export function possibleIn(
  model: Broken,
  opened: OpenedModel,
  gaps: readonly Gap[],
  kinds: readonly RepairKind[],
) {
  const { possible, refused } = possibleKinds(model, gaps, kinds);
  const needs = (kind: RepairKind) =>
    Math.max(...gaps.map((gap) => bytesToSolve(KINDS[kind].place(model, gap))));
  const fits = (kind: RepairKind) => needs(kind) <= opened.model.workBytes;
  const tooLarge = possible
    .filter((kind) => !fits(kind))
    .map((kind) => ({
      kind,
      reason: `its equations take ${formatBytes(needs(kind))} of memory, and only ${formatBytes(opened.model.workBytes)} may be used`,
    }));
  return { possible: possible.filter(fits), refused: [...refused, ...tooLarge] };
}

/** The layer behind the last gap, where the model can have a refit there. */
export function placeBehind(model: Broken, opened: OpenedModel, gaps: readonly Gap[]): Gap | undefined {
  const behind = behindLast(gaps, model.architecture.analysedBlocks);
  return behind && possibleIn(model, opened, [behind], ["refit"]).possible.length > 0 ? behind : undefined;
}

/** That a kind was asked for which a model cannot have. */
export function impossible(kind: RepairKind, reason: string): RepairError {
  return new RepairError(
    "REPAIR_IMPOSSIBLE",
    `This model cannot have the repair ${kind}, because ${reason}; use \`repair: "auto"\`, which takes what is possible, or off.`,
  );
}
