import { expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { measureBlocks } from "../../src/inspection/blocks.ts";
import { array, buildGguf, str, temporaryFolder, u32, writeInto } from "../support/gguf.ts";

test.each([
  ["in all layers", u32(2), [2, 2]],
  ["another number in each layer", array("uint32", [1, 4]), [1, 4]],
])("a token is multiplied with the experts that it uses, %s", async (_, used, counts) => {
  const bytes = buildGguf({
    metadata: {
      "general.architecture": str("olmoe"),
      "olmoe.block_count": u32(2),
      "olmoe.expert_count": u32(8),
      "olmoe.expert_used_count": used,
    },
    tensors: [0, 1].flatMap((block) => [
      { name: `blk.${block}.attn_q.weight`, shape: [32, 32] },
      { name: `blk.${block}.ffn_up_exps.weight`, shape: [32, 16, 8] },
    ]),
  });
  const { blocks } = measureBlocks(await readGguf(writeInto(temporaryFolder(), "m.gguf", bytes)));
  expect(blocks.map(({ activeParameters }) => activeParameters)).toEqual(
    counts.map((count) => 32 * 32 + count * 32 * 16),
  );
});
