import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { storeFactors } from "../../src/compensation/store.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { buildGguf, type FixtureTensor, str, temporaryFolder, u32 } from "../support/gguf.ts";

const FACTORS = [{ layer: 0, attention: 1.5, feedForward: 0.5 }];

async function modelOf(architecture: string, tensors: readonly FixtureTensor[]) {
  const path = join(temporaryFolder(), "model.gguf");
  const metadata = { "general.architecture": str(architecture), [`${architecture}.block_count`]: u32(1) };
  await writeFile(path, buildGguf({ metadata, tensors }));
  return readGguf(path);
}

const tensor = (name: string, shape: number[], type = "F32"): FixtureTensor => ({
  name: `blk.0.${name}`,
  shape,
  type,
});
const ATTENTION = tensor("attn_output.weight", [32, 32]);
const DOWN = tensor("ffn_down.weight", [64, 32]);

const stored = async (architecture: string, tensors: readonly FixtureTensor[], factors = FACTORS) =>
  storeFactors(await modelOf(architecture, tensors), architecture, factors);

test("weights and their biases take the factors, nothing else does", async () => {
  const { transforms, added } = await stored("llama", [
    ATTENTION,
    tensor("attn_output.bias", [32]),
    DOWN,
    tensor("ffn_up.weight", [32, 64]),
  ]);
  expect([...transforms.keys()]).toEqual([
    "blk.0.attn_output.weight",
    "blk.0.attn_output.bias",
    "blk.0.ffn_down.weight",
  ]);
  expect(added).toEqual([]);
});

test("post-norms take them where the outputs pass through one", async () => {
  const norms = [tensor("post_attention_norm.weight", [32]), tensor("post_ffw_norm.weight", [32])];
  const { transforms } = await stored("gemma2", [ATTENTION, DOWN, ...norms]);
  expect([...transforms.keys()]).toEqual(norms.map(({ name }) => name));
});

test("a .scale that is there takes the factor for its weight", async () => {
  const { transforms } = await stored("llama", [ATTENTION, tensor("attn_output.scale", [1]), DOWN]);
  expect([...transforms.keys()]).toEqual(["blk.0.attn_output.scale", "blk.0.ffn_down.weight"]);
});

test.each([
  ["an architecture without a rule", "arctic", [ATTENTION, DOWN], FACTORS, "COMPENSATION_ARCHITECTURE"],
  ["a block without an output", "llama", [ATTENTION], FACTORS, "COMPENSATION_ARCHITECTURE"],
  [
    "a type whose scales are powers of two",
    "llama",
    [ATTENTION, tensor("ffn_down.weight", [64, 32], "MXFP4")],
    FACTORS,
    "COMPENSATION_TYPE",
  ],
  [
    "f16 weights that would overflow",
    "llama",
    [{ ...tensor("attn_output.weight", [1, 1], "F16"), data: Uint8Array.of(0xff, 0x7b) }, DOWN],
    FACTORS,
    "COMPENSATION_PRECISION",
  ],
  [
    "weights too small for their format",
    "llama",
    [{ ...tensor("attn_output.weight", [1, 1], "F16"), data: Uint8Array.of(3, 0) }, DOWN],
    FACTORS,
    "COMPENSATION_PRECISION",
  ],
  [
    "a factor that is no number",
    "llama",
    [ATTENTION, DOWN],
    [{ layer: 0, attention: Number.NaN, feedForward: 1 }],
    "COMPENSATION_FACTORS",
  ],
  ["two factors for a block that adds once", "phi2", [ATTENTION, DOWN], FACTORS, "COMPENSATION_FACTORS"],
])("%s is refused by name", async (_, architecture, tensors, factors, code) => {
  await expect(stored(architecture, tensors, factors)).rejects.toMatchObject({ code });
});
