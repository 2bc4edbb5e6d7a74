import { BF16, F16, type SmallFloat } from "./small-float.ts";

/** A number in a tensor's block that all weights of the block are multiples of. */
export interface ScaleSlot {
  /** `float32` and `float64` are read and written as numbers, the 16-bit formats as bits. */
  readonly format: SmallFloat | "float32" | "float64";
  read(view: DataView, block: number): number;
  write(view: DataView, block: number, value: number): void;
}

const bits16 = (format: SmallFloat, at: number): ScaleSlot => ({
  format,
  read: (view, block) => view.getUint16(block + at, true),
  write: (view, block, bits) => view.setUint16(block + at, bits, true),
});
const f16 = (at: number) => bits16(F16, at);

const float32: ScaleSlot = {
  format: "float32",
  read: (view, block) => view.getFloat32(block, true),
  write: (view, block, value) => view.setFloat32(block, value, true),
};
const float64: ScaleSlot = {
  format: "float64",
  read: (view, block) => view.getFloat64(block, true),
  write: (view, block, value) => view.setFloat64(block, value, true),
};

/** An f16 of which each of four consecutive 16-bit words holds four bits at its top, the lowest first (IQ1_M). */
const f16InTopNibbles = (at: number): ScaleSlot => ({
  format: F16,
  read: (view, block) =>
    [0, 1, 2, 3].reduce(
      (bits, word) => bits | ((view.getUint16(block + at + 2 * word, true) >> 12) << (4 * word)),
      0,
    ),
  write(view, block, bits) {
    for (const word of [0, 1, 2, 3]) {
      const position = block + at + 2 * word;
      const rest = view.getUint16(position, true) & 0x0fff;
      view.setUint16(position, rest | (((bits >> (4 * word)) & 0xf) << 12), true);
    }
  },
});

/**
 * Where the blocks of each ggml type keep the scales (`d`), and where there is one the offset (`m`, `dmin`), that all
 * weights of the block are proportional to. An unquantised weight is a block of one that is its own scale. Types that
 * are missing have no scale fine enough: MXFP4's is a power of two, NVFP4's have three bits of mantissa.
 * Source: llama.cpp `ggml/src/ggml-common.h` (struct block_*) and `dequantize_row_*` in ggml-quants.c.
 */
export const BLOCK_SCALES: ReadonlyMap<string, readonly ScaleSlot[]> = new Map([
  ["F32", [float32]],
  ["F64", [float64]],
  ["F16", [f16(0)]],
  ["BF16", [bits16(BF16, 0)]],
  ["Q1_0", [f16(0)]],
  ["Q2_0", [f16(0)]],
  ["Q4_0", [f16(0)]],
  ["Q4_1", [f16(0), f16(2)]],
  ["Q5_0", [f16(0)]],
  ["Q5_1", [f16(0), f16(2)]],
  ["Q8_0", [f16(0)]],
  ["Q8_1", [f16(0), f16(2)]],
  ["Q2_K", [f16(80), f16(82)]],
  ["Q3_K", [f16(108)]],
  ["Q4_K", [f16(0), f16(2)]],
  ["Q5_K", [f16(0), f16(2)]],
  ["Q6_K", [f16(208)]],
  ["Q8_K", [float32]],
  ["IQ1_S", [f16(0)]],
  ["IQ1_M", [f16InTopNibbles(48)]],
  ["IQ2_XXS", [f16(0)]],
  ["IQ2_XS", [f16(0)]],
  ["IQ2_S", [f16(0)]],
  ["IQ3_XXS", [f16(0)]],
  ["IQ3_S", [f16(0)]],
  ["IQ4_NL", [f16(0)]],
  ["IQ4_XS", [f16(0)]],
  ["TQ1_0", [f16(52)]],
  ["TQ2_0", [f16(64)]],
]);
