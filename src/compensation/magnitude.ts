import type { BlockFactors } from "../documents/compensation.ts";
import { type Run, runsOf } from "../runs.ts";

/**
 * Factors of the blocks left by how much longer the removed ones made the stream (Prune&Comp, arXiv 2507.18212). To a
 * pre-norm model a stream that is α times as long is the same as outputs divided by α from there on, so the factors of a
 * block are 1 / Π α over the removed runs before it, α being the mean over tokens of the norm of the state after the run
 * by the norm of that before it. A sequence's first token does not count: its state is often hundreds of times as long
 * as the others.
 * @param removed ascending
 * @param norms of the block inputs of the original model, blocks × tokens, for each calibration sequence
 */
export function magnitudeFactors(
  removed: readonly number[],
  blockCount: number,
  norms: readonly Float32Array[],
): BlockFactors[] {
  // After a run at the end there is nothing left to scale.
  const inner = runsOf(removed).filter(({ end }) => end < blockCount);
  const lengthenings = inner.map((run) => ({ ...run, by: lengthening(run, blockCount, norms) }));
  return Array.from({ length: blockCount }, (_, layer) => {
    const length = lengthenings.reduce((product, { end, by }) => (end <= layer ? product * by : product), 1);
    return { layer, attention: 1 / length, feedForward: 1 / length };
  }).filter(({ layer, attention }) => attention !== 1 && !removed.includes(layer));
}

function lengthening({ first, end }: Run, blockCount: number, norms: readonly Float32Array[]): number {
  let sum = 0;
  let count = 0;
  for (const ofSequence of norms) {
    const tokens = ofSequence.length / blockCount;
    for (let token = 1; token < tokens; token++) {
      sum += ofSequence[end * tokens + token]! / ofSequence[first * tokens + token]!;
      count++;
    }
  }
  return sum / count;
}
