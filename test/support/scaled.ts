import { readFileSync, writeFileSync } from "node:fs";
import { readGguf } from "../../src/gguf/read.ts";
import { decode, encode, F16 } from "../../src/surgery/small-float.ts";
import { EXAMPLE_MODEL } from "./example.ts";

/** Writes the example with every scale of some Q8_0 tensors multiplied. @returns `path` */
export async function writeScaledExample(
  path: string,
  factors: Readonly<Record<string, number>>,
): Promise<string> {
  const { tensors } = await readGguf(EXAMPLE_MODEL);
  const bytes = readFileSync(EXAMPLE_MODEL);
  for (const { name: tensor, fileOffset, byteLength } of tensors) {
    const factor = factors[tensor];
    if (factor === undefined) continue;
    for (let at = fileOffset; at < fileOffset + byteLength; at += 34) {
      const scale = decode(F16, bytes.readUInt16LE(at)) * factor;
      bytes.writeUInt16LE(Number.isNaN(scale) ? 0x7e00 : encode(F16, scale), at);
    }
  }
  writeFileSync(path, bytes);
  return path;
}

/** Block 12's values are large and its output matrix undoes that: the same model, but for missing blocks 1 and 2. */
export const OVERFLOWS_WITHOUT_1_OR_2 = {
  "blk.12.attn_v.weight": 6500,
  "blk.12.attn_output.weight": 1 / 6500,
};
