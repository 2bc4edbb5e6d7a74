import { readFileSync } from "node:fs";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufValue } from "../../src/gguf/types.ts";
import { EXAMPLE_MODEL } from "./example.ts";
import { buildGguf, str, writeInto } from "./gguf.ts";

/** The example as a model of an architecture whose tensors are those of llama. @param metadata to add, by short key */
export async function writeExampleAs(
  folder: string,
  architecture: string,
  metadata: Readonly<Record<string, GgufValue>> = {},
): Promise<string> {
  const example = await readGguf(EXAMPLE_MODEL);
  const bytes = readFileSync(EXAMPLE_MODEL);
  const own = [...example.metadata].map(
    ([key, entry]) => [key.replace(/^llama\./, `${architecture}.`), entry.decode()] as const,
  );
  const added = Object.entries(metadata).map(([key, value]) => [`${architecture}.${key}`, value] as const);
  return writeInto(
    folder,
    `${architecture}.gguf`,
    buildGguf({
      metadata: { ...Object.fromEntries([...own, ...added]), "general.architecture": str(architecture) },
      tensors: example.tensors.map(({ name, shape, typeName, fileOffset, byteLength }) => ({
        name,
        shape,
        type: typeName,
        data: bytes.subarray(fileOffset, fileOffset + byteLength),
      })),
    }),
  );
}
