import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";

export interface LogitsOptions {
  readonly skip?: readonly number[];
  /** Without the rounding of keys and values to f16. */
  readonly exactAttention?: boolean;
}

/** A model's logits for every one of the tokens, row after row, on one CPU thread. */
export async function logitsOf(
  path: string,
  tokens: Int32Array,
  { skip = [], exactAttention }: LogitsOptions = {},
): Promise<Float32Array> {
  const { states } = describeArchitecture(await readGguf(path));
  const model = await openModel(path, { gpu: "off", threads: 1 });
  const session = model.openSession({ sequenceLength: tokens.length, states, exactAttention });
  try {
    return await session.logits(tokens, skip);
  } finally {
    session.close();
    model.close();
  }
}

/** Σ (a−b)² / Σ a². */
export function normalisedError(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let size = 0;
  for (const [i, x] of a.entries()) {
    difference += (x - b[i]!) ** 2;
    size += x ** 2;
  }
  return difference / size;
}
