import type { SimilarityMatrix } from "../documents/analysis.ts";
import type { Lanes } from "../model/lanes.ts";

/** What was measured of one sequence. */
export interface SequenceSums {
  /** N×N sums over the sequence's tokens of the cosines of the layer inputs; row-major, above the diagonal. */
  readonly sums: Float64Array;
  /** Number of those tokens. */
  readonly tokens: number;
}

/** What was measured of a model; `similarity` follows from `measured`, which is all there is to keep. */
export interface Capture {
  /** N×N mean cosines of the layer inputs over all tokens, 1 on the diagonal. */
  readonly similarity: SimilarityMatrix;
  readonly measured: readonly SequenceSums[];
  readonly tokens: number;
}

export interface CaptureOptions {
  /** Index of the first token of each sequence that counts; 0 by default, 1 behind a BOS token. */
  readonly first?: number | undefined;
  /** What an earlier run over the same sequences has measured; those are not run again. */
  readonly earlier?: readonly SequenceSums[] | undefined;
  /** Hears of each sequence in turn, earlier ones too, with all so far; the capture ends where it answers `true`. */
  readonly onSequence?: ((measured: readonly SequenceSums[]) => boolean | Promise<boolean>) | undefined;
}

/**
 * Runs sequences through a model, as many side by side as there are lanes, and averages the cosines of its layer
 * inputs. What is heard, and every bit of the result, is the same however many lanes there are, and whether the
 * sequences were run in one go or from `earlier` on.
 * @throws RuntimeError; AbortedError within one micro-batch of the model's signal
 */
export async function captureSimilarity(
  lanes: Pick<Lanes, "count" | "run">,
  sequences: readonly Int32Array[],
  { first = 0, earlier = [], onSequence }: CaptureOptions = {},
): Promise<Capture> {
  const measured: SequenceSums[] = [];
  const running: Promise<SequenceSums>[] = [];
  for (let index = 0; index < sequences.length; index++) {
    // One more than there are lanes, so that a lane that is ahead need not wait for the others.
    while (
      index >= earlier.length &&
      running.length <= lanes.count &&
      index + running.length < sequences.length
    ) {
      const next = measure(lanes, sequences[index + running.length]!, first);
      // Not every one is waited for: when the caller closes the lanes, what still runs ends.
      next.catch(() => {});
      running.push(next);
    }
    measured.push(earlier[index] ?? (await running.shift()!));
    if ((await onSequence?.(measured)) === true) break;
  }
  return { similarity: meanSimilarity(measured), measured, tokens: countTokens(measured) };
}

async function measure(lanes: Pick<Lanes, "run">, tokens: Int32Array, first: number): Promise<SequenceSums> {
  const sums = await lanes.run((session) => session.sumCosines(tokens, first));
  return { sums, tokens: tokens.length - first };
}

/** The mean cosines over all tokens of the sequences, as a full symmetric matrix. */
export function meanSimilarity(measured: readonly SequenceSums[]): SimilarityMatrix {
  return weightedSimilarity(measured, new Array(measured.length).fill(1));
}

/** As `meanSimilarity`, each sequence counted as often as its weight says. */
export function weightedSimilarity(
  measured: readonly SequenceSums[],
  weights: readonly number[],
): SimilarityMatrix {
  const total = new Float64Array(measured[0]?.sums.length ?? 0);
  let tokens = 0;
  for (const [index, sequence] of measured.entries()) {
    const weight = weights[index]!;
    for (let entry = 0; entry < total.length; entry++) total[entry]! += weight * sequence.sums[entry]!;
    tokens += weight * sequence.tokens;
  }
  const layers = Math.sqrt(total.length);
  return Array.from({ length: layers }, (_, i) =>
    Array.from({ length: layers }, (_, j) =>
      i === j ? 1 : cosine(total[Math.min(i, j) * layers + Math.max(i, j)]! / tokens),
    ),
  );
}

/** Rounding, and weights below 0, must not lead out of −1…1. */
function cosine(value: number): number {
  return Math.min(1, Math.max(-1, value));
}

export function countTokens(measured: readonly SequenceSums[]): number {
  return measured.reduce((sum, { tokens }) => sum + tokens, 0);
}
