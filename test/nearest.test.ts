import { expect, test } from "vitest";
import { didYouMean, nearest } from "../src/nearest.ts";

const METHODS = ["lorp", "shortgpt", "streamline", "angular", "last", "random", "sleb", "auto"];

test.each([
  ["shotgpt", METHODS, "shortgpt"],
  ["short-gpt", METHODS, "shortgpt"],
  ["stream", METHODS, "streamline"],
  ["lopr", METHODS, "lorp"],
  ["AUTO", METHODS, "auto"],
  ["q4km", ["Q4_K_S", "Q4_K_M", "Q3_K_M"], "Q4_K_M"],
  ["vulcan", ["auto", "off", "cuda", "vulkan", "metal"], "vulkan"],
  ["gradient", METHODS, undefined],
  ["", METHODS, undefined],
])("%s among %j is %s", (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});

test("the sentence stands after a message", () => {
  expect([didYouMean("lopr", METHODS), didYouMean("gradient", METHODS)]).toEqual([" Did you mean lorp?", ""]);
});
