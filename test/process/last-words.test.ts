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

test("the reason that was logged before the process was ended is told", () => {
  const stderr = [
    "CUDA error: the provided PTX was compiled with an unsupported toolchain.",
    "  current device: 0, in function ggml_cuda_kernel_can_use_pdl at /home/x/ggml-cuda/common.cuh:1679",
    "  cudaFuncGetAttributes(&attr, kernel)",
    "/home/runner/x/ggml/src/ggml-cuda/ggml-cuda.cu:108: CUDA error",
    "",
  ].join("\n");
  expect(lastWordsIn(stderr)).toBe(
    "CUDA error: the provided PTX was compiled with an unsupported toolchain (ggml-cuda.cu:108)",
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
