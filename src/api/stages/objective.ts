import { type TextPart, withBos } from "../../calibration/sequences.ts";
import { divergences, negativeLogLikelihoods } from "../../evaluation/losses.ts";
import { marginLosses } from "../../evaluation/margins.ts";
import { firstScored, type Windows } from "../../evaluation/windows.ts";
import type { Objective } from "../../objectives.ts";
import type { LossSource } from "../../selection/trials.ts";
import type { OpenedModel } from "./open.ts";

/** Tokens of the pieces that a choice is measured on: short, so that a few of them see many kinds of text. */
const PIECE_LENGTH = 128;

/** Pieces that a complete measurement covers. */
const MOST_PIECES = 32;

/**
 * The losses, by an objective, of an open model: on pieces of the part of the text that a choice is made on, or on the
 * whole windows of the part for the report.
 * @throws UsageError `CACHE_UNWRITABLE`
 */
export async function lossesOf(
  opened: OpenedModel,
  objective: Objective,
  part: TextPart = "choice",
): Promise<LossSource> {
  const { lanes, model, split, bos, task } = opened;
  const kept = await opened.kept();
  if (objective === "task") return marginLosses(lanes, task!.groups, kept);
  const windows =
    part === "choice" ? choicePieces(opened) : { sequences: split[part], first: firstScored(bos) };
  return objective === "kl"
    ? divergences(lanes, windows, model.info.vocabularySize, kept)
    : negativeLogLikelihoods(lanes, windows, kept);
}

/** The pieces that a choice is measured on. */
export function choicePieces(opened: OpenedModel): Windows {
  return { sequences: piecesOf(opened), first: firstScored(opened.bos) };
}

/** First a piece of each window, then another of each; windows that are short already stay as they are. */
function piecesOf({ split: { choice }, sequenceLength, bos }: OpenedModel): Int32Array[] {
  if (sequenceLength <= PIECE_LENGTH) return choice.slice(0, MOST_PIECES);
  const begin = bos < 0 ? 0 : 1;
  const length = PIECE_LENGTH - begin;
  const each = Math.floor((sequenceLength - begin) / length);
  return Array.from({ length: each }, (_, piece) =>
    choice.map((window) =>
      withBos(window.subarray(begin + piece * length, begin + (piece + 1) * length), bos),
    ),
  )
    .flat()
    .slice(0, MOST_PIECES);
}
