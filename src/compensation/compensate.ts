import type { StreamRule } from "../architecture/stream.ts";
import type { BlockFactors, Compensation } from "../documents/compensation.ts";
import type { Windows } from "../evaluation/windows.ts";
import type { ScoreOptions, Session } from "../model/session.ts";
import { estimate } from "../statistics.ts";
import { CompensationError } from "./errors.ts";
import { magnitudeFactors } from "./magnitude.ts";
import type { CompensationMode } from "./modes.ts";

/** An original model to compensate for the removal of some of its blocks. */
export interface CompensationRequest {
  /** `streamRule` of its architecture. */
  readonly rule: StreamRule;
  readonly session: Session;
  /** A second session of the same model, which runs beside the first. */
  readonly original: Session;
  /** Blocks that run. */
  readonly blockCount: number;
  /** Ascending. */
  readonly removed: readonly number[];
  /** Sequences to find the factors on, all equally long; the first MAX_SEQUENCES are used. */
  readonly calibration: readonly Int32Array[];
  /** What to judge the factors on. */
  readonly heldBack: Windows;
  /** Called with the share of the work that is done. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** Enough for one factor: each token says as much about it as the model has dimensions. */
export const MAX_SEQUENCES = 8;

/** Draws a fitted factor half way towards 1. */
const RIDGE = 1;

/** Factors with what they give back on held-back sequences. */
export type JudgedCompensation = Compensation & Required<Pick<Compensation, "heldBack">>;

/**
 * Finds factors for the blocks left and measures, before anything is written, what they give back.
 * @throws CompensationError when `magnitude` does not apply to the architecture; RuntimeError, AbortedError
 */
export async function compensate(
  mode: CompensationMode,
  request: CompensationRequest,
): Promise<JudgedCompensation> {
  const { session, removed, heldBack, onProgress } = request;
  const sequences = Math.min(request.calibration.length, MAX_SEQUENCES);
  const steps = 2 * sequences + 2 * heldBack.sequences.length;
  const progress = (done: number) => onProgress?.(done / steps);
  const factors = await findFactors(mode, {
    ...request,
    onProgress: (share) => progress(2 * sequences * share),
  });
  const without: number[] = [];
  const withFactors: number[] = [];
  for (const tokens of heldBack.sequences) {
    const loss = (factors: readonly BlockFactors[]) =>
      meanLoss(session, tokens, { first: heldBack.first, skip: removed, factors });
    without.push(await loss([]));
    withFactors.push(await loss(factors));
    progress(2 * (sequences + without.length));
  }
  return {
    mode,
    factors,
    sequences,
    heldBack: {
      without: estimate(without).mean,
      with: estimate(withFactors).mean,
      standardError: estimate(without.map((loss, i) => loss - withFactors[i]!)).standardError,
      sequences: heldBack.sequences.length,
    },
  };
}

/** Whether the held-back loss falls by more than its standard error. */
export function helps({ heldBack }: JudgedCompensation): boolean {
  return heldBack.without - heldBack.with > (heldBack.standardError ?? Number.POSITIVE_INFINITY);
}

/**
 * The factors alone; nothing is held back and no loss measured.
 * @throws CompensationError when `magnitude` does not apply to the architecture; RuntimeError, AbortedError
 */
export function findFactors(
  mode: CompensationMode,
  request: Omit<CompensationRequest, "heldBack">,
): Promise<BlockFactors[]> {
  return FINDERS[mode]({ ...request, calibration: request.calibration.slice(0, MAX_SEQUENCES) });
}

type Finder = (request: Omit<CompensationRequest, "heldBack">) => Promise<BlockFactors[]>;

const FINDERS: Readonly<Record<CompensationMode, Finder>> = {
  async magnitude({ rule, session, removed, blockCount, calibration, onProgress }) {
    if (rule.readsUnnormalised) {
      throw new CompensationError(
        "COMPENSATION_ARCHITECTURE",
        'Some part of this model\'s layers reads the stream without normalising it, so magnitude does not apply; use `compensate: "fit"`.',
      );
    }
    const norms: Float32Array[] = [];
    for (const tokens of calibration) {
      norms.push(await session.stateNorms(tokens));
      onProgress?.(norms.length / calibration.length);
    }
    return magnitudeFactors(removed, blockCount, norms);
  },
  fit: ({ session, original, removed, calibration, onProgress }) =>
    session.fitFactors(calibration, { skip: removed, ridge: RIDGE, original, onProgress }),
};

async function meanLoss(session: Session, tokens: Int32Array, options: ScoreOptions): Promise<number> {
  const { logProb } = await session.score(tokens, options);
  return -estimate(logProb).mean;
}
