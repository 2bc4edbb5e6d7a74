import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cutSequences,
  dealSequences,
  MOST_FOR_CHOICE,
  MOST_FOR_REPORT,
  MOST_SEQUENCES,
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

describe("dealSequences", () => {
  const firsts = (windows: readonly Int32Array[]) => windows.map((window) => window[0]!);

  test("windows are dealt in turn, half of them to the analysis", () => {
    const { analysis, choice, report } = dealSequences(tokens(83), { sequenceLength: 10 });
    expect(firsts(analysis)).toEqual([0, 20, 40, 60]);
    expect(firsts(choice)).toEqual([10, 50]);
    expect(firsts(report)).toEqual([30, 70]);
  });

  test("behind a BOS token a window holds one token of the text fewer", () => {
    const { analysis, report } = dealSequences(tokens(40), { sequenceLength: 10, bos: 7 });
    expect(analysis.map((window) => [...window.subarray(0, 3)])).toEqual([
      [7, 0, 1],
      [7, 18, 19],
    ]);
    expect([...report[0]!]).toEqual([7, 27, 28, 29, 30, 31, 32, 33, 34, 35]);
  });

  test("of a long text each part has its most, spread over the text", () => {
    const { analysis, choice, report } = dealSequences(tokens(10_000), { sequenceLength: 10 });
    expect([analysis.length, choice.length, report.length]).toEqual([
      MOST_SEQUENCES,
      MOST_FOR_CHOICE,
      MOST_FOR_REPORT,
    ]);
    for (const part of [choice, report]) {
      expect(Math.max(...firsts(part)) - Math.min(...firsts(part))).toBeGreaterThan(8_000);
    }
  });

  test("with a number: exactly so many are analysed, and half as many are for choice and report each", () => {
    const dealt = (sequences: number) =>
      Object.values(dealSequences(tokens(80), { sequenceLength: 10, sequences })).map(({ length }) => length);
    expect([1, 2, 3, 4].map(dealt)).toEqual([
      [1, 1, 1],
      [2, 1, 1],
      [3, 2, 2],
      [4, 2, 2],
    ]);
    expect(() => dealt(5)).toThrow("80 tokens, but 12 × 10 for analysis, choice and report are needed (120)");
  });

  test("a text too short for three parts is refused with what is missing", () => {
    expect(() => dealSequences(tokens(39), { sequenceLength: 10 })).toThrow(
      expect.objectContaining({
        code: "CALIBRATION_TOO_SHORT",
        message: expect.stringContaining(
          "39 tokens, but 4 × 10 for analysis, choice and report are needed (40)",
        ),
      }),
    );
  });

  test("no token is in two parts, and none is empty", () => {
    const some = fc.record({
      count: fc.nat(600),
      length: fc.integer({ min: 2, max: 20 }),
      sequences: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
      bos: fc.constantFrom(-1, 1_000_000),
    });
    fc.assert(
      fc.property(some, ({ count, length, sequences, bos }) => {
        fc.pre(count >= length * 4 * Math.ceil((sequences ?? 1) / 2));
        const parts = Object.values(dealSequences(tokens(count), { sequenceLength: length, sequences, bos }));
        const seen = parts.flat().flatMap((window) => [...window].filter((token) => token !== bos));
        expect(new Set(seen).size).toBe(seen.length);
        for (const part of parts) expect(part.length).toBeGreaterThan(0);
        if (sequences !== undefined) expect(parts[0]!.length).toBe(sequences);
      }),
    );
  });
});
