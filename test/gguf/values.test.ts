import fc from "fast-check";
import { expect, test } from "vitest";
import { Cursor } from "../../src/gguf/cursor.ts";
import type { GgufArray, GgufValue, ScalarType, ScalarValue } from "../../src/gguf/types.ts";
import { encodeValue, readValue } from "../../src/gguf/values.ts";

const scalars: Record<ScalarType, fc.Arbitrary<ScalarValue>> = {
  uint8: fc.integer({ min: 0, max: 2 ** 8 - 1 }),
  int8: fc.integer({ min: -(2 ** 7), max: 2 ** 7 - 1 }),
  uint16: fc.integer({ min: 0, max: 2 ** 16 - 1 }),
  int16: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  float32: fc.float(),
  bool: fc.boolean(),
  string: fc.string({ unit: "binary" }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float64: fc.double(),
};
const scalarType = fc.constantFrom(...(Object.keys(scalars) as ScalarType[]));
const flatArray: fc.Arbitrary<GgufArray> = scalarType.chain((elementType) =>
  fc.array(scalars[elementType]).map((value) => ({ type: "array", elementType, value })),
);
const anyValue: fc.Arbitrary<GgufValue> = fc.oneof(
  scalarType.chain((type) => scalars[type].map((value) => ({ type, value }))),
  flatArray,
  fc.array(flatArray).map((value) => ({ type: "array", elementType: "array", value }) as const),
);

test("what is encoded is decoded to the same value, and takes all of its bytes", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = encodeValue(value);
      const cursor = new Cursor("memory", bytes, bytes.length);
      expect(readValue(cursor, value.type, "value")).toEqual(value);
      expect(cursor.remaining).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test.each<[ScalarType, unknown]>([
  ["uint8", 256],
  ["uint8", -1],
  ["uint8", 1.5],
  ["uint8", "1"],
  ["int32", 2 ** 31],
  ["uint32", 5n],
  ["uint64", 5],
  ["uint64", -1n],
  ["int64", 2n ** 63n],
  ["float32", "1"],
  ["bool", 1],
  ["string", 1],
])("a %s cannot be %s", (type, value) => {
  expect(() => encodeValue({ type, value } as GgufValue)).toThrow(TypeError);
  expect(() => encodeValue({ type: "array", elementType: type, value: [value] } as GgufValue)).toThrow(
    TypeError,
  );
});

test("a float64 keeps all its bits, a float32 is rounded to the nearest", () => {
  const read = (value: GgufValue) => {
    const bytes = encodeValue(value);
    return readValue(new Cursor("memory", bytes, bytes.length), value.type, "value").value;
  };
  expect(read({ type: "float64", value: 0.1 })).toBe(0.1);
  expect(read({ type: "float32", value: 0.1 })).toBe(Math.fround(0.1));
});
