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
  // Four times as fast as for…of, and a model has billions.
  for (let index = 0; index < values.length; index++) {
    const magnitude = Math.abs(values[index]!);
    if (magnitude > largest && magnitude < Number.POSITIVE_INFINITY) largest = magnitude;
  }
  return largest;
}

/** The same among BF16's numbers, which are as ordered as their bits without the sign. */
function largestBf16(numbers: Uint16Array): number {
  const infinity = 0x7f80;
  let largest = 0;
  for (let index = 0; index < numbers.length; index++) {
    const bits = numbers[index]! & 0x7fff;
    if (bits > largest && bits < infinity) largest = bits;
  }
  return new Float32Array(Uint32Array.of(largest << 16).buffer)[0]!;
}

/** Values that are read at once. */
const AT_ONCE = 2 ** 20;

/** The same among those that a file holds, as far as it goes. @param dequantize whole blocks of a type */
export async function largestStored(
  { path, offset, byteLength, type }: StoredValues,
  dequantize: (type: number, bytes: Uint8Array) => Float32Array,
): Promise<number> {
  const { name, blockSize, typeSize } = GGML_TYPES.get(type)!;
  // What files are quantised from is not copied once more.
  const largestOf = (bytes: Uint8Array) => {
    const { buffer, byteLength } = bytes;
    if (name === "F32") return largestMagnitude(new Float32Array(buffer, 0, byteLength / 4));
    if (name === "BF16") return largestBf16(new Uint16Array(buffer, 0, byteLength / 2));
    return largestMagnitude(dequantize(type, bytes));
  };
  const buffer = new Uint8Array((AT_ONCE / blockSize) * typeSize);
  const handle = await open(path, "r");
  try {
    let largest = 0;
    for (let done = 0; done < byteLength; ) {
      const length = Math.min(buffer.length, byteLength - done);
      const { bytesRead } = await handle.read(buffer, 0, length, offset + done);
      const whole = bytesRead - (bytesRead % typeSize);
      if (whole === 0) break;
      largest = Math.max(largest, largestOf(buffer.subarray(0, whole)));
      done += whole;
    }
    return largest;
  } finally {
    await handle.close();
  }
}
