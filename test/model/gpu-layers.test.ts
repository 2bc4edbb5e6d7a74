import { expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { fittingGpuLayers } from "../../src/model/gpu-layers.ts";
import { buildGguf, str, temporaryFolder, u32, writeInto } from "../support/gguf.ts";

/** Blocks of 4,000 bytes, the last of 8,000, and 16,000 outside of them. */
const BLOCKS = [1000, 1000, 1000, 2000];
const REST = 4000;

const model = buildGguf({
  metadata: { "general.architecture": str("llama"), "llama.block_count": u32(BLOCKS.length) },
  tensors: [
    { name: "token_embd.weight", shape: [REST] },
    ...BLOCKS.map((size, block) => ({ name: `blk.${block}.ffn_up.weight`, shape: [size] })),
  ],
});

test.each([
  ["nothing fits", 15_999, 0],
  ["what is outside the blocks comes first", 16_000, 1],
  ["then the last block, if all of it fits", 23_999, 1],
  ["which it does here", 24_000, 2],
  ["then those before it", 32_000, 4],
  ["and all", 36_000, 5],
  ["whatever more there is", Number.POSITIVE_INFINITY, 5],
])("%s", async (_, room, layers) => {
  const path = writeInto(temporaryFolder(), "m.gguf", model);
  // A quarter of the memory is left for what is computed.
  expect(fittingGpuLayers(await readGguf(path), room / 0.75)).toBe(layers);
});
