import { describe, expect, test } from "vitest";
import { BF16, decode, encode, F16 } from "../../src/surgery/small-float.ts";
import { randomNumbers } from "../support/gguf.ts";

const ALL = Array.from({ length: 2 ** 16 }, (_, bits) => bits);

describe.each([
  ["F16", F16, 65504, 2 ** -24],
  ["BF16", BF16, (2 - 2 ** -7) * 2 ** 127, 2 ** -133],
] as const)("%s", (_, format, largest, smallest) => {
  test("every number stands for itself", () => {
    const numbers = ALL.filter((bits) => !Number.isNaN(decode(format, bits)));
    expect(numbers.map((bits) => encode(format, decode(format, bits)))).toEqual(numbers);
  });

  test("its ends are those of the format", () => {
    const positive = ALL.slice(0, 2 ** 15).map((bits) => decode(format, bits));
    expect(Math.max(...positive.filter(Number.isFinite))).toBe(largest);
    expect(Math.min(...positive.filter((value) => value > 0))).toBe(smallest);
    expect(decode(format, encode(format, largest * 1.01))).toBe(Number.POSITIVE_INFINITY);
    expect(decode(format, encode(format, -largest * 3))).toBe(Number.NEGATIVE_INFINITY);
    expect(encode(format, smallest / 2)).toBe(0);
  });

  test("a number is rounded to the nearest, halves to even", () => {
    const values = ALL.slice(0, 2 ** 15)
      .map((bits) => decode(format, bits))
      .filter(Number.isFinite);
    const random = randomNumbers(1);
    const wrong: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      const at = Math.floor(random() * (values.length - 1));
      const [low, high] = [values[at]!, values[at + 1]!];
      const share = i % 4 === 0 ? 0.5 : random();
      const expected = share < 0.5 || (share === 0.5 && at % 2 === 0) ? at : at + 1;
      if (encode(format, low + (high - low) * share) !== expected) wrong.push(at);
    }
    expect(wrong).toEqual([]);
  });
});

test("BF16 is the upper half of an F32", () => {
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const random = randomNumbers(2);
  for (let i = 0; i < 1000; i++) {
    bits[0] = Math.floor(random() * 2 ** 16) * 2 ** 16;
    if (Number.isFinite(float[0])) expect(decode(BF16, bits[0] / 2 ** 16)).toBe(float[0]);
  }
});
