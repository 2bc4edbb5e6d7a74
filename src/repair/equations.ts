import type { GgufFile } from "../gguf/types.ts";
import type { Model } from "../model/model.ts";
import type { KeptRepair, Session, Sums } from "../model/session.ts";
import type { Gap } from "./gaps.ts";
import type { Place } from "./places.ts";
import type { StoredMap } from "./tensor.ts";

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
  removal: Removal,
  gap: Gap,
  places: readonly Place[],
  earlier: readonly Mended[],
): Promise<Equations[]> {
  const equations = places.map((place) => openEquations(removal, gap, place));
  try {
    await gather(removal, gap, equations, earlier);
    return equations;
  } catch (error) {
    for (const { sums } of equations) sums.close();
    throw error;
  }
}

/** Equations of which nothing is gathered yet. */
export function openEquations({ model }: Removal, gap: Gap, place: Place): Equations {
  return { gap, place, sums: model.openSums(place.features, place.targets) };
}

/** Adds what the calibration's sequences say to a gap's equations. @throws RuntimeError, AbortedError */
export async function gather(
  { removed, session, original, calibration, onSequence }: Removal,
  gap: Gap,
  equations: readonly Equations[],
  earlier: readonly Mended[],
): Promise<void> {
  const product = equations.find(({ place }) => place.weight !== "");
  const normalized = equations.find(({ place }) => place.weight === "");
  // Nothing before the first gap is changed, so that one session runs both sides of it.
  const isFirst = !removed.some((block) => block < gap.before);
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
}
