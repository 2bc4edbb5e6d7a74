import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { compare } from "../../src/index.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { buildGguf, str, temporaryFolder, writeInto } from "../support/gguf.ts";

/** The example as a SmolLM3, every fourth of whose blocks has no positions: only fours can go. */
async function writeSmolLm3(folder: string): Promise<string> {
  const { metadata, tensors } = await readGguf(EXAMPLE_MODEL);
  const bytes = readFileSync(EXAMPLE_MODEL);
  const entries = [...metadata].map(([key, entry]) => [key.replace(/^llama\./, "smollm3."), entry.decode()]);
  return writeInto(
    folder,
    "smollm3.gguf",
    buildGguf({
      metadata: { ...Object.fromEntries(entries), "general.architecture": str("smollm3") },
      tensors: tensors.map(({ name, shape, typeName, fileOffset, byteLength }) => ({
        name,
        shape,
        type: typeName,
        data: bytes.subarray(fileOffset, fileOffset + byteLength),
      })),
    }),
  );
}

test("compare leaves out the numbers of layers that an architecture does not allow", async () => {
  const path = await writeSmolLm3(temporaryFolder());
  const options = {
    gpu: "off",
    threads: 1,
    sequences: 4,
    sequenceLength: 32,
    methods: ["lorp", "last"],
  } as const;
  const { candidates } = await compare(path, { ...options, remove: [3, 4, 5] });
  expect(new Set(candidates.map(({ budget }) => budget))).toEqual(new Set([4]));
  expect((await compare(path, { ...options, remove: [5] })).candidates).toEqual([]);
}, 60_000);
