import type { Lanes } from "../model/lanes.ts";
import type { BlockChanges } from "../model/session.ts";

/** How alike the embeddings are that two models give of the same sequences. */
export interface Likeness {
  /** Mean over sequences of the cosine of the two embeddings, each the mean over the sequence's tokens. */
  readonly cosine: number;
  /** The least of them. */
  readonly lowestCosine: number;
}

export interface EmbedOptions extends Pick<BlockChanges, "skip"> {
  /** Called with the number of tokens done so far. */
  readonly onProgress?: ((tokens: number) => void) | undefined;
}

/** The embedding of each sequence: the mean over its tokens, before any dense layers of the model's pooling. */
export function embed(
  lanes: Lanes,
  sequences: readonly Int32Array[],
  { skip, onProgress }: EmbedOptions = {},
): Promise<Float64Array[]> {
  let done = 0;
  return Promise.all(
    sequences.map((tokens) =>
      lanes.run(async (session) => {
        const mean = meanRow(await session.embeddings(tokens, skip), tokens.length);
        done += tokens.length;
        onProgress?.(done);
        return mean;
      }),
    ),
  );
}

/** @param rows one after the other */
function meanRow(rows: Float32Array, count: number): Float64Array {
  const width = rows.length / count;
  const mean = new Float64Array(width);
  for (const [i, value] of rows.entries()) mean[i % width]! += value / count;
  return mean;
}

/** @param embeddings of the same sequences, at least one */
export function likenessOf(
  originals: readonly Float64Array[],
  embeddings: readonly Float64Array[],
): Likeness {
  const cosines = originals.map((original, i) => cosine(original, embeddings[i]!));
  return {
    cosine: cosines.reduce((sum, value) => sum + value, 0) / cosines.length,
    lowestCosine: Math.min(...cosines),
  };
}

function cosine(a: Float64Array, b: Float64Array): number {
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
