import { open } from "node:fs/promises";
import { GGML_TYPES } from "../gguf/ggml-types.ts";

/**
 * The largest magnitude that every type of quantisation holds, F16's own: their scales are F16. Far beyond it llama.cpp's
 * sums overflow, and it ends its process or writes zeros without a word.
 */
export const LARGEST_QUANTIZED = 65504;

/** Types that hold all that F32 does, as llama-quantize and ggml call them. */
export const UNBOUNDED_TYPES: ReadonlySet<string> = new Set(["F32", "BF16"]);

/** Where a tensor's values are in a file. */
export interface StoredValues {
  readonly path: string;
  readonly offset: number;
  readonly byteLength: number;
  /** Number of the tensor type. */
  readonly type: number;
}

/** The largest finite magnitude among values; 0 of none. */
export function largestMagnitude(values: Float32Array): number {
  let largest = 0;
  for (const value of values) {
    const magnitude = Math.abs(value);
    if (magnitude > largest && magnitude < Number.POSITIVE_INFINITY) largest = magnitude;
  }
  return largest;
}

/** Values that are read at once. */
const AT_ONCE = 2 ** 20;

/** The same among those that a file holds, as far as it goes. @param dequantize whole blocks of a type */
export async function largestStored(
  { path, offset, byteLength, type }: StoredValues,
  dequantize: (type: number, bytes: Uint8Array) => Float32Array,
): Promise<number> {
  const { blockSize, typeSize } = GGML_TYPES.get(type)!;
  const buffer = new Uint8Array((AT_ONCE / blockSize) * typeSize);
  const handle = await open(path, "r");
  try {
    let largest = 0;
    for (let done = 0; done < byteLength; ) {
      const length = Math.min(buffer.length, byteLength - done);
      const { bytesRead } = await handle.read(buffer, 0, length, offset + done);
      const whole = bytesRead - (bytesRead % typeSize);
      if (whole === 0) break;
      largest = Math.max(largest, largestMagnitude(dequantize(type, buffer.subarray(0, whole))));
      done += whole;
    }
    return largest;
  } finally {
    await handle.close();
  }
}
