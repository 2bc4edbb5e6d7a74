import { spreadOut } from "../../calibration/sequences.ts";
import { REPAIR_KINDS, type RepairChoice, type RepairKind } from "../../repair/kinds.ts";
import { type Broken, possibleKinds } from "../../repair/places.ts";
import { mostSampled } from "../../repair/sampled-text.ts";
import { choicePieces } from "./objective.ts";
import type { OpenedModel } from "./open.ts";

/** Tokens that a repair of one gap takes, about. @param candidates sets that are repaired roughly before */
export async function repairWork(
  model: Broken,
  opened: OpenedModel,
  choice: RepairChoice,
  candidates: number,
): Promise<number> {
  if (choice === "off") return 0;
  const asked: readonly RepairKind[] = choice === "auto" ? REPAIR_KINDS : [choice];
  const middle = model.architecture.analysedBlocks >> 1;
  const { possible } = possibleKinds(model, [{ before: middle, last: middle + 1 }], asked);
  if (possible.length === 0) return 0;
  const { sequences, prompts } = await opened.fit();
  const sampled = prompts ? mostSampled(prompts) : 0;
  const once = (tokens: number, roughly: boolean) =>
    tokensToRepair(opened, tokens, possible.length, 1, roughly);
  const rough = once(tokensIn(forRough(sequences)), true);
  return SAMPLING_COST * sampled + once(tokensIn(sequences) + sampled, false) + candidates * rough;
}

/** What a sampled token costs in tokens that are run together, about. */
const SAMPLING_COST = 1.5;

/** Tokens that are run to repair one set of layers, about. */
export function tokensToRepair(
  opened: OpenedModel,
  tokens: number,
  kinds: number,
  gaps: number,
  roughly: boolean,
): number {
  // All kinds see the first gap at once, and the layer behind is refitted for one of them. How many λ are tried is not known before.
  const passes = 1 + kinds * (gaps - 1) + (roughly ? 0 : 1);
  const judged = 2 + (roughly ? kinds * gaps : PASSES_TO_JUDGE * (kinds * gaps + 1));
  return passes * tokens + judged * tokensIn(choicePieces(opened).sequences);
}

/** How often the pieces are run to judge a map, in its λ and types and as it is written, about. */
const PASSES_TO_JUDGE = 2.25;

/** Sequences that a rough repair is fitted on at most. */
const MOST_ROUGH = 24;

/** What a rough repair is fitted on. */
export const forRough = (sequences: readonly Int32Array[]) => spreadOut(sequences).slice(0, MOST_ROUGH);

export function tokensIn(sequences: readonly Int32Array[]): number {
  return sequences.reduce((sum, { length }) => sum + length, 0);
}
