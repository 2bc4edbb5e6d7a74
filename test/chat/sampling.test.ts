import { expect, test } from "vitest";
import { samplingOf } from "../../src/chat/sampling.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { buildGguf, f32, i32, str } from "../support/gguf.ts";
import { memoryFiles } from "../support/memory-files.ts";

test("sampling is llama.cpp's where the file recommends none", async () => {
  const { metadata } = await readGguf(EXAMPLE_MODEL);
  expect(samplingOf(metadata)).toEqual({
    temperature: 0.8,
    topK: 40,
    topP: 0.95,
    minP: 0.05,
    repeatPenalty: 1,
    repeatLastTokens: 64,
  });
});

test("sampling is the file's own where it recommends some", async () => {
  const bytes = buildGguf({
    metadata: {
      "general.sampling.temp": f32(0.5),
      "general.sampling.top_k": i32(-1),
      "general.sampling.penalty_repeat": f32(1.5),
      "general.sampling.min_p": str("none"),
    },
  });
  const { metadata } = await readGguf("m.gguf", { open: memoryFiles({ "m.gguf": bytes }) });
  expect(samplingOf(metadata)).toMatchObject({ temperature: 0.5, topK: 0, repeatPenalty: 1.5, minP: 0.05 });
});
