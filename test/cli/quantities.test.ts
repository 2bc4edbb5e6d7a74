import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { bytes, factor, positiveShare, wholeNumbers } from "../../src/cli/options/quantities.ts";

test.each([
  [bytes, "4.5GB", 4.5e9],
  [bytes, "800 MiB", 800 * 2 ** 20],
  [bytes, "12kB", 12_000],
  [bytes, "120000", 120_000],
  [positiveShare, "10%", 0.1],
  [positiveShare, "0.1", 0.1],
  [positiveShare, "150 %", 1.5],
  [factor, "1.3", 1.3],
  [factor, "2x", 2],
])("%o reads %s", (read, text, value) => {
  expect(read(text)).toBeCloseTo(value, 9);
});

test("lists of numbers, with ranges", () => {
  expect(wholeNumbers("7,2-4")).toEqual([2, 3, 4, 7]);
});

test.each([
  [bytes, "a lot"],
  [bytes, "0"],
  [bytes, "-5GB"],
  [positiveShare, "0%"],
  [positiveShare, "ten"],
  [factor, "1"],
  [factor, "fast"],
  [wholeNumbers, "3,x"],
  [wholeNumbers, "3,3"],
])("%o refuses %s", (read, text) => {
  expect(() => read(text)).toThrow(InvalidArgumentError);
});
