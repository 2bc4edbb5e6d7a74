import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { writeHeader } from "../../src/gguf/write.ts";
import { layOut } from "../../src/surgery/layout.ts";
import { arrangeForSharing } from "../../src/surgery/sharing.ts";

const BLOCK = 4096;
const BLOCKS = 12;

/** Header of a model like Qwen3 (query and key norms of 128 floats) or Llama, with the given width of the stream. */
async function model(width: number, headNorms: boolean, alignment = 32): Promise<GgufFile> {
  const matrix = (name: string) => ({ name, shape: [width, 1024], type: 1, byteLength: width * 1024 * 2 });
  const norm = (name: string, n: number) => ({ name, shape: [n], type: 0, byteLength: n * 4 });
  const tensors = [
    matrix("token_embd.weight"),
    ...Array.from({ length: BLOCKS }, (_, i) => [
      norm(`blk.${i}.attn_norm.weight`, width),
      matrix(`blk.${i}.attn_q.weight`),
      ...(headNorms ? [norm(`blk.${i}.attn_q_norm.weight`, 128)] : []),
      matrix(`blk.${i}.attn_output.weight`),
      ...(headNorms ? [norm(`blk.${i}.attn_k_norm.weight`, 128)] : []),
      norm(`blk.${i}.ffn_norm.weight`, width),
      matrix(`blk.${i}.ffn_down.weight`),
    ]).flat(),
    norm("output_norm.weight", width),
    matrix("output.weight"),
  ];
  const { bytes, fileSize } = writeHeader({ version: 3, alignment, metadata: [], tensors });
  const file = async () => ({
    size: fileSize,
    state: "",
    async read(buffer: Uint8Array, position: number) {
      buffer.set(bytes.subarray(position, position + buffer.length));
      return buffer.length;
    },
    async close() {},
  });
  return readGguf("model.gguf", { open: file });
}

function without(file: GgufFile, removed: readonly number[]) {
  const kept = Array.from({ length: BLOCKS }, (_, i) => i).filter((i) => !removed.includes(i));
  const [layout] = layOut(
    file,
    {
      set: new Map(),
      renameTensor: (name) => {
        const [prefix, block] = /^blk\.(\d+)\./.exec(name) ?? [];
        if (prefix === undefined) return name;
        const index = kept.indexOf(Number(block));
        return index < 0 ? null : name.replace(prefix, `blk.${index}.`);
      },
    },
    new Map(),
  );
  return layout!;
}

/** Part of the output's bytes that lie in whole blocks at the same distance from a block's start as in the input. */
function sharedPart({ ranges, size }: ReturnType<typeof without>): number {
  let shared = 0;
  for (const { from, to, length } of ranges) {
    if (from % BLOCK !== to % BLOCK) continue;
    const first = Math.ceil(from / BLOCK);
    shared += Math.max(0, Math.floor((from + length) / BLOCK) - first) * BLOCK;
  }
  return shared / size;
}

const removals = [[], [3], [1, 2], [2, 5, 6, 9], [4, 5, 6, 7, 8, 9, 10]].map((removed) => [removed]);

describe("where the data comes to stand", () => {
  test.each(removals)(
    "%j removed from a model of whole blocks: everything is shared, in the order it had",
    async (removed) => {
      const file = await model(4096, false);
      const layout = without(file, removed);
      expect(sharedPart(layout)).toBeGreaterThan(0.99);
      expect(layout.ranges.map(({ from }) => from)).toEqual(
        layout.ranges.map(({ from }) => from).toSorted((a, b) => a - b),
      );
    },
  );

  test.each(removals)(
    "%j removed from a model with norms of odd sizes: nearly everything is shared",
    async (removed) => {
      for (const width of [4096, 3584, 2560]) {
        expect(sharedPart(without(await model(width, true), removed))).toBeGreaterThan(0.95);
      }
    },
  );

  test("large alignments need no help", async () => {
    expect(sharedPart(without(await model(2560, true, 8192), [3, 7]))).toBeGreaterThan(0.95);
  });
});

test("an arrangement has the same tensors, and a beginning that the alignment allows", () => {
  const tensor = fc.record({ file: fc.nat(2), fileOffset: fc.nat(10_000), byteLength: fc.nat(300_000) });
  fc.assert(
    fc.property(fc.array(tensor, { maxLength: 40 }), fc.constantFrom(8, 32, 64, 4096), (sizes, alignment) => {
      const tensors = sizes.map((t) => ({ ...t, fileOffset: t.fileOffset * 32 }));
      const arranged = arrangeForSharing(tensors, alignment);
      expect(new Set(arranged.tensors)).toEqual(new Set(tensors));
      expect(arranged.tensors).toHaveLength(tensors.length);
      expect(arranged.phase % alignment).toBe(0);
      expect(arranged.phase).toBeLessThan(BLOCK);
    }),
    { numRuns: 300 },
  );
});
