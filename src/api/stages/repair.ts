import { spreadOut } from "../../calibration/sequences.ts";
import type { Plan } from "../../documents/plan.ts";
import type { Repair } from "../../documents/repair.ts";
import { divergenceSource } from "../../evaluation/losses.ts";
import { GGML_TYPES } from "../../gguf/ggml-types.ts";
import type { KeptRepair } from "../../model/session.ts";
import { RepairError } from "../../repair/errors.ts";
import {
  bytesToSolve,
  gatherEquations,
  type Judge,
  type Mended,
  mendAsBefore,
  mendGap,
  mendRoughly,
  type Removal,
} from "../../repair/fit.ts";
import { type Gap, gapsOf } from "../../repair/gaps.ts";
import { REPAIR_KINDS, type RepairChoice, type RepairKind } from "../../repair/kinds.ts";
import { type Broken, KINDS, possibleKinds } from "../../repair/places.ts";
import { better, tryRepairs } from "../../repair/repair.ts";
import type { StoredRepair } from "../../repair/rewrite.ts";
import { mostSampled } from "../../repair/sampled-text.ts";
import { formatBytes } from "../../report/format.ts";
import { estimate } from "../../statistics.ts";
import { choicePieces } from "./objective.ts";
import { type DescribedModel, type OpenedModel, textOf } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";
import { requirePredictions } from "./predictions.ts";

/** A Plan that says how it is repaired, and the maps that do it. */
export interface Repaired {
  readonly plan: Plan;
  readonly repair: StoredRepair | undefined;
  /** The same maps where the model runs, as long as it is open. */
  readonly live?: readonly KeptRepair[] | undefined;
}

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

/** How well a repair is to be found. */
interface Care extends Pick<Broken, "inPlace"> {
  /** Fit on a part of the text, with a λ and a type that are not chosen: to compare sets of layers. */
  readonly roughly?: boolean | undefined;
}

/** Sequences that a rough repair is fitted on at most. */
const MOST_ROUGH = 24;

const forRough = (sequences: readonly Int32Array[]) => spreadOut(sequences).slice(0, MOST_ROUGH);

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
    const { attempts, refused: unsolved } = await tryRepairs(possible, {
      broken,
      removal,
      gaps,
      judge,
      before,
      mend: roughly ? mendRoughly : mendGap,
    });
    const best = better(attempts);
    const told: Repair = {
      kind: best?.kind ?? null,
      ...(await fittedOn(opened)),
      tokens: tokensIn(removal.calibration),
      ...(await sampledIn(opened)),
      heldBack: { divergence: estimate(before).mean, sequences: before.length },
      tried: attempts.map(({ tried }) => tried),
      refused: [...refused, ...unsolved],
    };
    for (const attempt of attempts) if (attempt !== best) release(mapsOf(attempt.mended));
    return {
      plan: { ...plan, repair: told },
      repair: best && storedOf(best.kind, best.mended),
      live: best && mapsOf(best.mended),
    };
  });
}

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

/**
 * Fits the maps that a Plan tells of anew, on the text that they were fitted on; nothing is measured.
 * @throws RepairError for another text or model; RuntimeError, AbortedError
 */
export async function repairAsPlanned(
  described: DescribedModel,
  opened: OpenedModel,
  plan: Plan,
  options: ModelRunOptions,
): Promise<StoredRepair | undefined> {
  if (!plan.repair?.kind) return undefined;
  const { kind, calibration, tokens: all, sampled = 0, tried } = plan.repair;
  const now = await fittedOn(opened);
  // What the model writes may be a little different on another machine.
  const tokens = all - sampled;
  if (now.calibration.sha256 !== calibration.sha256 || now.tokens !== tokens) {
    throw new RepairError(
      "REPAIR_OTHER_TEXT",
      `The plan's repair was fitted on ${tokens} tokens of the text "${calibration.name}" (SHA-256 ${calibration.sha256}), and this is ${now.tokens} tokens of "${now.calibration.name}": give the same \`calibration\`, \`sequences\` and \`sequenceLength\`, or choose a \`repair\`, which is fitted and measured anew.`,
    );
  }
  const told = tried.find((one) => one.kind === kind)?.gaps ?? [];
  const gaps = gapsOf(plan.removedLayers).flatMap((gap) => {
    const entry = told.find(({ after }) => after === gap.before);
    return entry ? [{ gap, ...entry }] : [];
  });
  if (gaps.length === 0 || gaps.length < told.length) {
    throw new RepairError(
      "REPAIR_IMPOSSIBLE",
      'The plan\'s repair is of other gaps than its removed layers leave; make the plan again, or use `repair: "off"`.',
    );
  }
  const { possible, refused } = possibleIn(
    described,
    opened,
    gaps.map(({ gap }) => gap),
    [kind],
  );
  if (possible.length === 0) throw impossible(kind, refused[0]!.reason);
  return withRemoval(described, opened, plan, [kind], gaps, options, async (removal) => {
    const mended: Mended[] = [];
    for (const { gap, ridge, type } of gaps) {
      const [equations] = await gatherEquations(removal, gap, [KINDS[kind].place(described, gap)], mended);
      try {
        mended.push(await mendAsBefore(removal, equations!, { ridge, type: numberOf(type) }));
      } finally {
        equations!.sums.close();
      }
    }
    release(mapsOf(mended));
    return storedOf(kind, mended);
  });
}

function possibleIn(model: Broken, opened: OpenedModel, gaps: readonly Gap[], kinds: readonly RepairKind[]) {
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

async function withRemoval<Result>(
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
  const calibration = roughly ? forRough(all) : all;
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

/** Tokens that are run to repair one set of layers, about. */
function tokensToRepair(
  opened: OpenedModel,
  tokens: number,
  kinds: number,
  gaps: number,
  roughly: boolean,
): number {
  // All kinds see the first gap at once; how many λ are tried is not known before.
  const passes = 1 + kinds * (gaps - 1);
  const judged = 2 + (roughly ? 1 : PASSES_TO_JUDGE) * kinds * gaps;
  return passes * tokens + judged * tokensIn(choicePieces(opened).sequences);
}

/** How often the pieces are run to judge a map, in its λ and types and as it is written, about. */
const PASSES_TO_JUDGE = 2.25;

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

async function fittedOn(opened: OpenedModel) {
  const fit = await opened.fit();
  return { calibration: textOf(fit, "analysis"), tokens: tokensIn(fit.sequences) };
}

/** How much of what is fitted on the model wrote, if any. */
async function sampledIn(opened: OpenedModel): Promise<Pick<Repair, "sampled">> {
  const tokens = tokensIn(await opened.sampled());
  return tokens === 0 ? {} : { sampled: tokens };
}

function tokensIn(sequences: readonly Int32Array[]): number {
  return sequences.reduce((sum, { length }) => sum + length, 0);
}

function storedOf(kind: RepairKind, mended: readonly Mended[]): StoredRepair {
  return { kind, maps: new Map(mended.map(({ gap, stored }) => [gap.before, stored])) };
}

/** The maps are no longer needed where the model runs. */
export function release(maps: readonly KeptRepair[] = []): void {
  for (const map of maps) map.close();
}

/** Of the model with what is kept of its repair, nats a token. */
export function divergenceOf({ kind, tried, heldBack }: Repair): number {
  return tried.find((one) => one.kind === kind)?.divergence ?? heldBack.divergence;
}

function mapsOf(mended: readonly Mended[]): KeptRepair[] {
  return mended.map(({ repair }) => repair);
}

function numberOf(typeName: string): number {
  const found = [...GGML_TYPES].find(([, { name }]) => name === typeName);
  if (found) return found[0];
  throw new RepairError(
    "REPAIR_IMPOSSIBLE",
    `The plan names a tensor type that there is not, ${typeName}; make the plan again.`,
  );
}

function withoutNumbers({ removedLayers }: Plan): RepairError {
  return new RepairError(
    "REPAIR_IMPOSSIBLE",
    `Without the layers ${removedLayers.join(", ")} the model computes no numbers (NaN), so what a repair gives back cannot be measured; choose other layers, or use \`repair: "off"\`.`,
  );
}

function impossible(kind: RepairKind, reason: string): RepairError {
  return new RepairError(
    "REPAIR_IMPOSSIBLE",
    `This model cannot have the repair ${kind}, because ${reason}; use \`repair: "auto"\`, which takes what is possible, or off.`,
  );
}
