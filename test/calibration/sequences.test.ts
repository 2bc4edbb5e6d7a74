import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cutSequences,
  MOST_HELD_BACK,
  MOST_SEQUENCES,
  splitHeldBack,
} from "../../src/calibration/sequences.ts";

const tokens = (count: number) => Int32Array.from({ length: count }, (_, i) => i);
const lists = (windows: Int32Array[]) => windows.map((window) => [...window]);

describe("cutSequences", () => {
  test("cuts consecutive windows and drops what is left over", () => {
    expect(lists(cutSequences(tokens(11), { sequenceLength: 4 }))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
  });

  test("takes the first ones when a number is given", () => {
    expect(lists(cutSequences(tokens(100), { sequenceLength: 3, sequences: 2 }))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  test.each([
    [511, undefined, "511 tokens, but 1 × 512 are needed (512)"],
    [0, undefined, "0 tokens, but 1 × 512 are needed"],
    [1535, 3, "1535 tokens, but 3 × 512 are needed (1536)"],
  ])("%i tokens are too few for %s sequences", (count, sequences, part) => {
    expect(() => cutSequences(tokens(count), { sequenceLength: 512, sequences })).toThrow(
      expect.objectContaining({ code: "CALIBRATION_TOO_SHORT", message: expect.stringContaining(part) }),
    );
  });
});

describe("splitHeldBack", () => {
  test("without a number: three quarters and a quarter", () => {
    const { analysis, heldBack } = splitHeldBack(tokens(83), { sequenceLength: 10 });
    expect(analysis.map((window) => window[0])).toEqual([0, 10, 20, 30, 40, 50]);
    expect(heldBack.map((window) => window[0])).toEqual([60, 70]);
  });

  test("a long text is not analysed whole", () => {
    const { analysis, heldBack } = splitHeldBack(tokens(10_000), { sequenceLength: 10 });
    expect([analysis.length, heldBack.length]).toEqual([MOST_SEQUENCES, MOST_HELD_BACK]);
  });

  test("with a number: exactly so many are analysed, whatever is left", () => {
    const left = (sequences: number) =>
      splitHeldBack(tokens(80), { sequenceLength: 10, sequences }).heldBack.length;
    expect([1, 4, 6, 7, 8].map(left)).toEqual([1, 2, 2, 1, 0]);
    expect(() => left(9)).toThrow("80 tokens, but 9 × 10");
  });

  test("the two parts never share a token and follow each other", () => {
    const some = fc.record({
      count: fc.nat(400),
      length: fc.integer({ min: 1, max: 20 }),
      sequences: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(some, ({ count, length, sequences }) => {
        fc.pre(count >= length * (sequences ?? 1));
        const { analysis, heldBack } = splitHeldBack(tokens(count), { sequenceLength: length, sequences });
        const seen = [...analysis, ...heldBack].flatMap((window) => [...window]);
        expect(seen).toEqual(seen.map((_, i) => i));
        expect(analysis.length).toBeGreaterThan(0);
        if (count >= 2 * length && sequences === undefined) expect(heldBack.length).toBeGreaterThan(0);
      }),
    );
  });
});
