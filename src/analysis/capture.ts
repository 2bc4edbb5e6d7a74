import type { SimilarityMatrix } from "../documents/analysis.ts";
import type { Session } from "../model/model.ts";

/** What was measured of one group of sequences. */
export interface GroupSums {
  /** N×N sums over the group's tokens of the cosines of the block inputs; row-major, above the diagonal. */
  readonly sums: Float64Array;
  /** Number of those tokens. */
  readonly tokens: number;
}

/** What was measured of a model; `similarity` follows from `groups`, which are all there is to keep. */
export interface Capture {
  /** N×N mean cosines of the block inputs over all tokens (DESIGN: S), 1 on the diagonal. */
  readonly similarity: SimilarityMatrix;
  readonly groups: readonly GroupSums[];
  readonly tokens: number;
}

export interface CaptureOptions {
  /** Sequences of a group; 1 by default. */
  readonly groupSize?: number | undefined;
  /** The groups that an earlier run over the same sequences has finished; they are not run again. */
  readonly earlier?: readonly GroupSums[] | undefined;
  /** Hears of each group when it is done, with all groups so far; the capture ends early where it answers `true`. */
  readonly onGroup?: ((groups: readonly GroupSums[]) => boolean | undefined) | undefined;
  /** Called with the number of tokens done so far. */
  readonly onProgress?: ((tokens: number) => void) | undefined;
}

/**
 * Runs the sequences through the model, group by group, and averages the cosines of its block inputs. The groups are
 * added in their order, so that a run that goes on from `earlier` ends with the same bits as one in one go.
 * @throws RuntimeError; AbortedError within one micro-batch of the model's signal
 */
export async function captureSimilarity(
  session: Session,
  sequences: readonly Int32Array[],
  { groupSize = 1, earlier = [], onGroup, onProgress }: CaptureOptions = {},
): Promise<Capture> {
  const groups = [...earlier];
  let done = countTokens(groups);
  for (let start = groups.length * groupSize; start < sequences.length; start += groupSize) {
    const measured: GroupSums[] = [];
    for (const tokens of sequences.slice(start, start + groupSize)) {
      measured.push({ sums: await session.sumCosines(tokens), tokens: tokens.length });
      done += tokens.length;
      onProgress?.(done);
    }
    groups.push(addGroups(measured));
    if (onGroup?.(groups) === true) break;
  }
  return { similarity: meanSimilarity(groups), groups, tokens: countTokens(groups) };
}

/** The sums over several groups. */
export function addGroups(groups: readonly GroupSums[]): GroupSums {
  const sums = new Float64Array(groups[0]?.sums.length ?? 0);
  for (const group of groups) {
    group.sums.forEach((value, index) => {
      sums[index]! += value;
    });
  }
  return { sums, tokens: countTokens(groups) };
}

/** The mean cosines over all tokens of the groups, as a full symmetric matrix. */
export function meanSimilarity(groups: readonly GroupSums[]): SimilarityMatrix {
  const { sums, tokens } = addGroups(groups);
  const layers = Math.sqrt(sums.length);
  return Array.from({ length: layers }, (_, i) =>
    Array.from({ length: layers }, (_, j) =>
      i === j ? 1 : sums[Math.min(i, j) * layers + Math.max(i, j)]! / tokens,
    ),
  );
}

function countTokens(groups: readonly GroupSums[]): number {
  return groups.reduce((total, { tokens }) => total + tokens, 0);
}
