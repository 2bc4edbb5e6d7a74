import { beforeAll, describe, expect, test } from "vitest";
import { GGML_TYPES } from "../../src/gguf/ggml-types.ts";
import { loadLlama } from "../../src/model/llama.ts";
import { addon } from "../../src/native/addon.ts";
import { BLOCK_SCALES } from "../../src/surgery/block-scales.ts";
import { canScale, tensorScaler } from "../../src/surgery/scale-tensor.ts";
import { randomNumbers } from "../support/gguf.ts";

const ROW = 512;
const ROWS = 2;

/** Types of weights that llama.cpp reads back; Q8_1 and Q8_K are only ever made from activations. */
const TYPES = [...GGML_TYPES].filter(
  ([, { name }]) => !["I8", "I16", "I32", "I64", "F32", "F64", "Q8_1", "Q8_K"].includes(name),
);
/** Half a step of the scale's format. */
const precision = (name: string) => (name === "BF16" ? 2 ** -8 : 2 ** -10);

const weights = (seed: number, size: number): Float32Array => {
  const random = randomNumbers(seed);
  return Float32Array.from({ length: ROW * ROWS }, () => size * (random() + random() + random() - 1.5));
};

/** Types whose weights are a multiple of a scale plus an offset: the two are rounded apart and may nearly cancel. */
const OFFSETS = new Set(["Q4_1", "Q5_1", "Q2_K", "Q4_K", "Q5_K"]);
/** Half a step of f16's subnormal numbers, which small unquantised weights become. */
const SMALLEST = 2 ** -25;

/** The largest error of a weight, in units of what is allowed. */
function excess(
  before: Float32Array,
  after: Float32Array,
  factor: number,
  name: string,
  blockSize: number,
): number {
  let worst = 0;
  for (let start = 0; start < before.length; start += blockSize) {
    let size = 0;
    for (let i = start; i < start + blockSize; i++) size = Math.max(size, Math.abs(before[i]! * factor));
    for (let i = start; i < start + blockSize; i++) {
      const expected = before[i]! * factor;
      const allowed = precision(name) * (OFFSETS.has(name) ? 2 * size : Math.abs(expected)) + SMALLEST;
      worst = Math.max(worst, Math.abs(after[i]! - expected) / allowed);
    }
  }
  return worst;
}

beforeAll(() => loadLlama("off"));

describe.each(TYPES)("ggml type %i", (type, { name, blockSize, typeSize }) => {
  const unscalable = name === "MXFP4" || name === "NVFP4";

  test.runIf(unscalable)(`${name} has no scale that can take a factor`, () => {
    expect(canScale(type)).toBe(false);
  });

  test.skipIf(unscalable)(`${name} scaled is what llama.cpp reads from it, scaled`, () => {
    // Of a size that keeps the scales of every type in f16's normal range.
    const blocks = addon.quantize(type, weights(type, 8), ROW);
    const before = addon.dequantize(type, blocks);
    for (const factor of [0.3137, 0.77, 1, 1.2345, 2, 3.9]) {
      const scaled = blocks.slice();
      const sums = tensorScaler(type, factor)(scaled);
      const after = addon.dequantize(type, scaled);
      expect(sums.overflowed).toBe(false);
      expect(sums.squaredError).toBeLessThanOrEqual(precision(name) ** 2 * sums.squaredSize);
      expect(excess(before, after, factor, name, blockSize)).toBeLessThanOrEqual(1);
    }
  });

  test.skipIf(unscalable)(`${name} changes in its scales only, however it is cut into blocks`, () => {
    const blocks = addon.quantize(type, weights(type + 100, 8), ROW);
    const whole = blocks.slice();
    tensorScaler(type, 1.1)(whole);
    const cut = blocks.slice();
    const scale = tensorScaler(type, 1.1);
    for (let start = 0; start < cut.length; start += 3 * typeSize) {
      scale(cut.subarray(start, Math.min(start + 3 * typeSize, cut.length)));
    }
    expect(cut).toEqual(whole);
    const changed = new Set<number>();
    for (const [i, byte] of whole.entries()) if (byte !== blocks[i]) changed.add(i % typeSize);
    expect(changed.size).toBeGreaterThan(0);
    expect(changed.size).toBeLessThanOrEqual(name === "IQ1_M" ? 4 : 2 * BLOCK_SCALES.get(name)!.length);
  });
});

test("F32 weights are multiplied as they are", () => {
  const values = weights(1, 1);
  const scaled = values.slice();
  tensorScaler(0, 0.77)(new Uint8Array(scaled.buffer));
  expect(scaled).toEqual(values.map((value) => value * 0.77));
});

test("scales that grow beyond f16 are noticed", () => {
  const type = 8;
  const blocks = addon.quantize(type, weights(1, 1e6), ROW);
  expect(tensorScaler(type, 1)(blocks.slice()).overflowed).toBe(false);
  expect(tensorScaler(type, 30)(blocks.slice()).overflowed).toBe(true);
});

test("scales below f16's normal range are noticed by their error", () => {
  const type = 14;
  const relativeError = (size: number) => {
    const { squaredError, squaredSize } = tensorScaler(
      type,
      0.77,
    )(addon.quantize(type, weights(1, size), ROW));
    return Math.sqrt(squaredError / squaredSize);
  };
  expect(relativeError(8)).toBeLessThan(2 ** -11);
  expect(relativeError(1e-4)).toBeGreaterThan(2 ** -9);
});
