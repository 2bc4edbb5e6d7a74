import type { BlockChanges, KeptRepair } from "../model/session.ts";
import { mean } from "../statistics.ts";
import type { Equations, Mended, Removal } from "./equations.ts";
import type { Place } from "./places.ts";
import { readWeights, storeMap } from "./tensor.ts";
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
  const score = (map: Float32Array) => scoreOf(removal, equations, earlier, judge, map);
  const { ridge, map, divergence } = await walkDown(RIDGES, FIRST_RIDGE, async (ridge) => {
    const map = await sums.solve(ridge);
    return { ridge, map, divergence: await score(map) };
  });
  const writer = await openWriter(removal, equations);
  const without = meanOfShare(before);
  for (const [index, type] of place.types.entries()) {
    const written = await writer(map, type);
    const isLast = index === place.types.length - 1;
    const kept = isLast || without - (await score(written.map)) >= KEPT_SHARE * (without - divergence);
    if (!kept) continue;
    const repair = await model.keepRepair({ block: gap.before, ...namesOf(place), map: written.map });
    const divergences = await judge(changesOf(removal, earlier, repair), 1);
    return { mended: { gap, place, ridge, stored: written.stored, repair }, divergences };
  }
  throw new Error("a place has at least one tensor type");
}

/** The share of the divergence that a map must take off to be worth fitting on all of the text, as little of it tells. */
const WORTH = 0.01;

/** Whether a map is worth fitting: how it does with a penalty under which little text tells which way it goes. */
export async function isWorthFitting(
  removal: Removal,
  equations: Equations,
  earlier: readonly Mended[],
  judge: Judge,
  before: readonly number[],
): Promise<boolean> {
  const map = await equations.sums.solve(1);
  const divergence = await scoreOf(removal, equations, earlier, judge, map);
  return divergence < (1 - WORTH) * meanOfShare(before);
}

/** The divergence that a map as it is solved leaves, on the pieces that λ and type are chosen on. */
async function scoreOf(
  removal: Removal,
  { gap, place }: Equations,
  earlier: readonly Mended[],
  judge: Judge,
  map: Float32Array,
): Promise<number> {
  const repair = await removal.model.keepRepair({ block: gap.before, ...namesOf(place), map });
  try {
    const divergence = mean(await judge(changesOf(removal, earlier, repair), CHOICE_SHARE));
    return Number.isNaN(divergence) ? Number.POSITIVE_INFINITY : divergence;
  } finally {
    repair.close();
  }
}

const meanOfShare = (divergences: readonly number[]) =>
  mean(divergences.slice(0, Math.round(divergences.length * CHOICE_SHARE)));

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
