/** A binary floating-point format of 16 bits: a sign, an exponent, and a mantissa of `mantissaBits`. */
export interface SmallFloat {
  readonly mantissaBits: number;
  readonly exponentBits: number;
}

export const F16: SmallFloat = { mantissaBits: 10, exponentBits: 5 };
export const BF16: SmallFloat = { mantissaBits: 7, exponentBits: 8 };

const SIGN = 0x8000;

/** The number that bits stand for; ±Infinity and NaN as in IEEE 754. */
export function decode({ mantissaBits, exponentBits }: SmallFloat, bits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const exponent = (bits & (SIGN - 1)) >> mantissaBits;
  const fraction = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const sign = bits & SIGN ? -1 : 1;
  if (exponent === 2 ** exponentBits - 1)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

/** The bits of the nearest number, of two equally near the even one; infinity beyond the largest. No NaN. */
export function encode({ mantissaBits, exponentBits }: SmallFloat, value: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = value < 0 || Object.is(value, -0) ? SIGN : 0;
  const infinity = (2 ** exponentBits - 1) << mantissaBits;
  const size = Math.abs(value);
  if (size === 0) return sign;
  if (size >= 2 ** (bias + 1)) return sign | infinity;
  const exponent = Math.max(binaryExponent(size), 1 - bias);
  const steps = roundHalfEven(size / 2 ** (exponent - mantissaBits));
  // Counting steps of the mantissa runs over into the exponent as it should, up to infinity.
  return sign | (steps + ((exponent + bias - 1) << mantissaBits));
}

const double = new DataView(new ArrayBuffer(8));

/** ⌊log2 value⌋ of a normal double. */
function binaryExponent(value: number): number {
  double.setFloat64(0, value);
  return ((double.getUint16(0) >> 4) & 0x7ff) - 1023;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
