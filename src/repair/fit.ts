import type { GgufFile } from "../gguf/types.ts";
import type { Model } from "../model/model.ts";
import type { BlockChanges, KeptRepair, Session, Sums } from "../model/session.ts";
import { mean } from "../statistics.ts";
import type { Gap } from "./gaps.ts";
import type { Place } from "./places.ts";
import { readWeights, type StoredMap, storeMap } from "./tensor.ts";

/** The original model, and what of it is removed. */
export interface Removal {
  readonly model: Model;
  readonly file: GgufFile;
  /** Ascending. */
  readonly removed: readonly number[];
  readonly session: Session;
  /** A second session of the same model, which runs beside the first. */
  readonly original: Session;
  /** Sequences to fit on. */
  readonly calibration: readonly Int32Array[];
  /** Told of each sequence that a session has run. */
  readonly onSequence?: ((tokens: number) => void) | undefined;
}

/** A gap whose map is fitted and held where the model runs. */
export interface Mended {
  readonly gap: Gap;
  readonly place: Place;
  readonly ridge: number;
  readonly stored: StoredMap;
  readonly repair: KeptRepair;
}

/** What the map of one gap is solved from. Close it when done. */
export interface Equations {
  readonly gap: Gap;
  readonly place: Place;
  readonly sums: Sums;
}

/** Bytes that the sums of a place take while they are solved. */
export function bytesToSolve({ features, targets }: Place): number {
  return 2 * 8 * features * (features / 2 + targets);
}

/**
 * Gathers the equations of a gap for several places at once, with earlier repairs in place.
 * @throws RuntimeError, AbortedError
 */
export async function gatherEquations(
  { model, removed, session, original, calibration, onSequence }: Removal,
  gap: Gap,
  places: readonly Place[],
  earlier: readonly Mended[],
): Promise<Equations[]> {
  const equations = places.map((place) => ({
    gap,
    place,
    sums: model.openSums(place.features, place.targets),
  }));
  const product = equations.find(({ place }) => place.weight !== "");
  const normalized = equations.find(({ place }) => place.weight === "");
  // Nothing before the first gap is changed, so that one session runs both sides of it.
  const isFirst = !removed.some((block) => block < gap.before);
  try {
    for (const tokens of calibration) {
      await session.gather(tokens, {
        ...gap,
        weight: product?.place.weight ?? "",
        epsilon: normalized?.place.epsilon ?? 0,
        skip: removed,
        repairs: earlier.map(({ repair }) => repair),
        product: product?.sums,
        normalized: normalized?.sums,
        original: isFirst ? undefined : original,
      });
      onSequence?.(tokens.length);
    }
    return equations;
  } catch (error) {
    for (const { sums } of equations) sums.close();
    throw error;
  }
}

/**
 * How maps are found good: divergences of the changed model from the original, of one sequence after another.
 * @param share of the sequences
 */
export type Judge = (changes: BlockChanges, share: number) => Promise<number[]>;

/** What one gap's map gives. */
export interface Judged {
  readonly mended: Mended;
  /** Of all the judge's sequences. */
  readonly divergences: readonly number[];
}

/** Weights of the penalty that are tried, and the one that is tried first. */
const RIDGES = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10];
const FIRST_RIDGE = 2;

/** The share of the judge's sequences that λ and type are chosen on. */
const CHOICE_SHARE = 0.25;

/** What a tensor type must keep of what F32 gives back. */
const KEPT_SHARE = 0.9;

/**
 * The map of a gap with the λ of the lowest divergence, in the smallest type that keeps what it gives back.
 * @param before divergences without it
 */
export async function mendGap(
  removal: Removal,
  equations: Equations,
  earlier: readonly Mended[],
  judge: Judge,
  before: readonly number[],
): Promise<Judged> {
  const { model } = removal;
  const { gap, place, sums } = equations;
  const changesWith = (repair: KeptRepair) => changesOf(removal, earlier, repair);
  const score = async (map: Float32Array): Promise<number> => {
    const repair = await model.keepRepair({ block: gap.before, ...namesOf(place), map });
    try {
      const divergence = mean(await judge(changesWith(repair), CHOICE_SHARE));
      return Number.isNaN(divergence) ? Number.POSITIVE_INFINITY : divergence;
    } finally {
      repair.close();
    }
  };
  const { ridge, map, divergence } = await walkDown(RIDGES, FIRST_RIDGE, async (ridge) => {
    const map = await sums.solve(ridge);
    return { ridge, map, divergence: await score(map) };
  });
  const writer = await openWriter(removal, equations);
  const without = mean(before.slice(0, Math.round(before.length * CHOICE_SHARE)));
  for (const [index, type] of place.types.entries()) {
    const written = await writer(map, type);
    const isLast = index === place.types.length - 1;
    const kept = isLast || without - (await score(written.map)) >= KEPT_SHARE * (without - divergence);
    if (!kept) continue;
    const repair = await model.keepRepair({ block: gap.before, ...namesOf(place), map: written.map });
    const divergences = await judge(changesWith(repair), 1);
    return { mended: { gap, place, ridge, stored: written.stored, repair }, divergences };
  }
  throw new Error("a place has at least one tensor type");
}

/** As `mendGap`, with the first λ and the finest type as they are: enough to tell which layers are repaired best. */
export const mendRoughly: typeof mendGap = async (removal, equations, earlier, judge) => {
  const as = { ridge: RIDGES[FIRST_RIDGE]!, type: equations.place.types.at(-1)! };
  const mended = await mendAsBefore(removal, equations, as);
  return { mended, divergences: await judge(changesOf(removal, earlier, mended.repair), 1) };
};

/** The map of a gap with a λ and a type that are known. */
export async function mendAsBefore(
  removal: Removal,
  equations: Equations,
  { ridge, type }: { readonly ridge: number; readonly type: number },
): Promise<Mended> {
  const { gap, place, sums } = equations;
  const written = await (await openWriter(removal, equations))(await sums.solve(ridge), type);
  const repair = await removal.model.keepRepair({
    block: gap.before,
    ...namesOf(place),
    map: written.map,
  });
  return { gap, place, ridge, stored: written.stored, repair };
}

/** The removal with the maps of earlier gaps and one more. */
function changesOf({ removed }: Removal, earlier: readonly Mended[], repair: KeptRepair): BlockChanges {
  return { skip: removed, repairs: [...earlier.map((one) => one.repair), repair] };
}

const namesOf = ({ weight, epsilon }: Place) => ({ weight, epsilon });

async function openWriter({ model, file }: Removal, { place, sums }: Equations) {
  const old = place.replaces && (await readWeights(model, file, place.replaces));
  const importance = await sums.meanSquares();
  return (map: Float32Array, type: number) => storeMap(model, place, map, type, importance, old);
}

/** Goes from one value to its neighbours as long as the divergence falls. */
async function walkDown<Found extends { readonly divergence: number }>(
  values: readonly number[],
  first: number,
  find: (value: number) => Promise<Found>,
): Promise<Found> {
  let best = await find(values[first]!);
  for (const step of [1, -1]) {
    let moved = false;
    for (let at = first + step; at >= 0 && at < values.length; at += step) {
      const found = await find(values[at]!);
      if (!(found.divergence < best.divergence)) break;
      best = found;
      moved = true;
    }
    if (moved) break;
  }
  return best;
}
