import { spreadOut } from "../../calibration/sequences.ts";
import type { Plan } from "../../documents/plan.ts";
import type { Removal } from "../../repair/equations.ts";
import type { RepairKind } from "../../repair/kinds.ts";
import type { Broken } from "../../repair/places.ts";
import type { DescribedModel } from "./describe.ts";
import { type OpenedModel, textOf } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";
import { forRough, tokensIn, tokensToRepair } from "./repair-work.ts";

/** How well a repair is to be found. */
export interface Care extends Pick<Broken, "inPlace"> {
  /** Fit on a part of the text, with a λ and a type that are not chosen: to compare sets of layers. */
  readonly roughly?: boolean | undefined;
}

/**
 * Does work on the model with and without a Plan's layers, with what maps are fitted on, and tells its progress.
 * @throws what the work throws; RuntimeError, AbortedError
 */
export async function withRemoval<Result>(
  { file, architecture }: DescribedModel,
  opened: OpenedModel,
  { removedLayers }: Plan,
  kinds: readonly RepairKind[],
  gaps: readonly unknown[],
  { onProgress, roughly = false }: ModelRunOptions & Care,
  work: (removal: Removal, onTokens: (tokens: number) => void) => Promise<Result>,
): Promise<Result> {
  const { model, sequenceLength } = opened;
  const all = [...(await opened.fit()).sequences, ...(await opened.sampled())];
  // Spread out, so that the first ones stand for all.
  const calibration = roughly ? forRough(all) : spreadOut(all);
  const openSession = () => model.openSession({ sequenceLength, states: architecture.states });
  const session = openSession();
  const original = openSession();
  let done = 0;
  const total = tokensToRepair(opened, tokensIn(calibration), kinds.length, gaps.length, roughly);
  const onTokens = (tokens: number) => {
    done = Math.min(done + tokens, total - 1);
    onProgress?.({ stage: "repair", done, total, unit: "tokens" });
  };
  try {
    const removal = { model, file, removed: removedLayers, session, original, calibration };
    const result = await work({ ...removal, onSequence: onTokens }, onTokens);
    onProgress?.({ stage: "repair", done: total, total, unit: "tokens" });
    return result;
  } finally {
    original.close();
    session.close();
  }
}

/** What is fitted on that does not depend on the model, as a Plan tells it. */
export async function fittedOn(opened: OpenedModel) {
  const fit = await opened.fit();
  return { calibration: textOf(fit, "analysis"), tokens: tokensIn(fit.sequences) };
}
