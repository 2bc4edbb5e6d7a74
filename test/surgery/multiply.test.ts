import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { multiplyTensors } from "../../src/surgery/multiply.ts";
import { buildGguf, type FixtureTensor, str, temporaryFolder, u32 } from "../support/gguf.ts";

const NAME = "blk.0.attn_q.weight";

async function multiplied(tensor: Omit<FixtureTensor, "name">) {
  const path = join(temporaryFolder(), "model.gguf");
  const metadata = { "general.architecture": str("llama"), "llama.block_count": u32(1) };
  const other = { name: "blk.0.attn_k.weight", shape: [32, 32], type: "F32" };
  await writeFile(path, buildGguf({ metadata, tensors: [{ name: NAME, ...tensor }, other] }));
  return multiplyTensors(await readGguf(path), new Map([[NAME, 1.5]]));
}

test("the named tensors are multiplied and no others", async () => {
  const transforms = await multiplied({ shape: [32, 32], type: "F32" });
  expect([...transforms.keys()]).toEqual([NAME]);
  const numbers = Float32Array.of(2, -4);
  const written = transforms.get(NAME)!.apply(new Uint8Array(numbers.buffer));
  expect([...new Float32Array(written.buffer)]).toEqual([3, -6]);
});

test.each([
  ["a type whose scales are powers of two", { shape: [64, 32], type: "MXFP4" }, "no scales fine enough"],
  [
    "f16 weights that would overflow",
    { shape: [1, 1], type: "F16", data: Uint8Array.of(0xff, 0x7b) },
    "would overflow",
  ],
  [
    "weights too small for their format",
    { shape: [1, 1], type: "F16", data: Uint8Array.of(3, 0) },
    "too small to be exact",
  ],
])("%s is refused by name", async (_, tensor, reason) => {
  await expect(multiplied(tensor)).rejects.toMatchObject({
    code: "TENSOR_FACTOR",
    message: expect.stringMatching(`^${NAME} .*${reason}`),
  });
});
