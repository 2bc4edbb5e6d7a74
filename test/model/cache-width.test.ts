import { expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { cacheWidth } from "../../src/model/cache-width.ts";
import { array, buildGguf, str, temporaryFolder, u32, writeInto } from "../support/gguf.ts";

/** A model of four blocks, 64 wide, that says this of its attention. */
async function widthOf(attention: Parameters<typeof buildGguf>[0]["metadata"]) {
  const file = buildGguf({
    metadata: {
      "general.architecture": str("llama"),
      "llama.block_count": u32(4),
      "llama.embedding_length": u32(64),
      ...attention,
    },
  });
  return cacheWidth(await readGguf(writeInto(temporaryFolder(), "m.gguf", file)));
}

const heads = u32(8);

test.each([
  ["as many key heads as queries", {}, 4 * 2 * 64],
  ["two queries a key", { "llama.attention.head_count_kv": u32(4) }, 4 * 2 * 32],
  [
    "another number in each block",
    { "llama.attention.head_count_kv": array("int32", [8, 4, 2, 1]) },
    2 * 15 * 8,
  ],
  [
    "keys and values of lengths of their own",
    {
      "llama.attention.head_count_kv": u32(2),
      "llama.attention.key_length": u32(16),
      "llama.attention.value_length": u32(12),
    },
    4 * 2 * (16 + 12),
  ],
  [
    "blocks that keep a state instead, counted from above",
    { "llama.attention.head_count_kv": array("int32", [0, 4, 0, 4]) },
    2 * 2 * (64 + 32),
  ],
])("%s", async (_, attention, width) => {
  expect(await widthOf({ "llama.attention.head_count": heads, ...attention })).toBe(width);
});

test("a model without attention is counted as if it had some", async () => {
  expect(await widthOf({})).toBe(4 * 2 * 64);
});
