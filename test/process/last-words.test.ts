import { expect, test } from "vitest";
import { lastWordsIn } from "../../src/process/last-words.ts";

test("an assertion is told with its place, without the folders of who compiled it", () => {
  expect(
    lastWordsIn(
      "some warning\n/home/runner/x/ggml/src/ggml-cpu/ops.cpp:3949: GGML_ASSERT(eps >= 0.0f) failed\n",
    ),
  ).toBe("GGML_ASSERT(eps >= 0.0f) failed (ops.cpp:3949)");
  expect(lastWordsIn("D:\\a\\ggml\\src\\ggml.c:4005: not enough memory")).toBe(
    "not enough memory (ggml.c:4005)",
  );
});

test("an exception that nobody caught is told by what it says", () => {
  const stderr = "terminate called after throwing an instance of 'std::out_of_range'\n  what():  map::at\n";
  expect(lastWordsIn(stderr)).toBe("map::at");
});

test("what says nothing of the end is no last word", () => {
  expect(lastWordsIn("")).toBeUndefined();
  expect(lastWordsIn("(node:12) Warning: something\n")).toBeUndefined();
});
