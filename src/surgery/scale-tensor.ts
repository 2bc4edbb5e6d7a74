import { GGML_TYPES } from "../gguf/ggml-types.ts";
import { BLOCK_SCALES, type ScaleSlot } from "./block-scales.ts";
import { decode, encode, type SmallFloat } from "./small-float.ts";

/** How the scales of some blocks took a factor. */
export interface Scaled {
  /** Σ (new scale − factor · old scale)² */
  readonly squaredError: number;
  /** Σ (factor · old scale)² */
  readonly squaredSize: number;
  /** Whether a finite scale became infinite. */
  readonly overflowed: boolean;
}

/** Whether a tensor of this type can be multiplied by a factor through its blocks' own scales. */
export function canScale(type: number): boolean {
  return BLOCK_SCALES.has(GGML_TYPES.get(type)?.name ?? "");
}

/**
 * A function that multiplies a tensor in place, given any number of its whole blocks at a time: only the scales in the
 * blocks change, so the result is what dequantising, multiplying and rounding each scale would give.
 * @param type ggml type number, one that `canScale`
 */
export function tensorScaler(type: number, factor: number): (blocks: Uint8Array) => Scaled {
  const { name, typeSize } = GGML_TYPES.get(type)!;
  const slots = BLOCK_SCALES.get(name)!;
  // All scales of a type have one format.
  const multiply = multiplier(slots[0]!, factor);
  return (blocks) => {
    const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
    const sums = { squaredError: 0, squaredSize: 0, overflowed: false };
    for (let block = 0; block < blocks.byteLength; block += typeSize) {
      for (const slot of slots) slot.write(view, block, multiply(slot.read(view, block), sums));
    }
    return sums;
  };
}

interface Sums {
  squaredError: number;
  squaredSize: number;
  overflowed: boolean;
}

type Multiply = (raw: number, sums: Sums) => number;

function multiplier({ format }: ScaleSlot, factor: number): Multiply {
  if (format === "float64") return (value) => value * factor;
  if (format === "float32") {
    return (value, sums) => {
      const scaled = Math.fround(value * factor);
      if (!Number.isFinite(scaled) && Number.isFinite(value)) sums.overflowed = true;
      return scaled;
    };
  }
  return tabulated(format, factor);
}

/** There are only 65,536 numbers of 16 bits: each is multiplied once. */
function tabulated(format: SmallFloat, factor: number): Multiply {
  const product = new Uint16Array(2 ** 16);
  const size = new Float64Array(2 ** 16);
  const error = new Float64Array(2 ** 16);
  const values = valuesOf(format);
  for (const [bits, value] of values.entries()) {
    product[bits] = bits;
    if (!Number.isFinite(value)) continue;
    product[bits] = encode(format, value * factor);
    size[bits] = (value * factor) ** 2;
    error[bits] = (values[product[bits]!]! - value * factor) ** 2;
  }
  return (bits, sums) => {
    sums.squaredSize += size[bits]!;
    sums.squaredError += error[bits]!;
    if (error[bits] === Number.POSITIVE_INFINITY) sums.overflowed = true;
    return product[bits]!;
  };
}

const decoded = new Map<SmallFloat, Float64Array>();

/** What each of the 65,536 bit patterns stands for. */
function valuesOf(format: SmallFloat): Float64Array {
  const known = decoded.get(format);
  if (known) return known;
  const values = Float64Array.from({ length: 2 ** 16 }, (_, bits) => decode(format, bits));
  decoded.set(format, values);
  return values;
}
