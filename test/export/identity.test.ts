import { expect, test } from "vitest";
import { plan } from "../../src/api/plan.ts";
import { identity } from "../../src/export/identity.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufValue } from "../../src/gguf/types.ts";
import { encodeValue } from "../../src/gguf/values.ts";
import { array, buildGguf, str, temporaryFolder, u32, writeInto } from "../support/gguf.ts";

const PLAN = plan(
  { schemaVersion: 1, model: { blockCount: 20, architecture: "llama" }, similarity: [] },
  { layers: "5-9" },
);

async function changes(metadata: Record<string, GgufValue>, parameters = 1) {
  const file = await readGguf(writeInto(temporaryFolder(), "m.gguf", buildGguf({ metadata })));
  const values = [...identity(file.metadata, PLAN, parameters)];
  return Object.fromEntries(values.map(([key, value]) => [key.replace("general.", ""), value?.value]));
}

test("names the model, its base and what it is", async () => {
  const result = await changes({
    "general.name": str("Books 20L"),
    "general.author": str("A"),
    "general.license": str("mit"),
    "general.tags": array("string", ["text-generation", "pruned"]),
  });
  expect(result).toEqual({
    name: "Books 20L, pruned to 15 of 20 layers",
    "base_model.count": 1,
    "base_model.0.name": "Books 20L",
    "base_model.0.author": "A",
    tags: ["text-generation", "pruned", "layer-pruning", "lorp"],
  });
});

test("makes up no name: llama.cpp would look for a family of models in it", async () => {
  const result = await changes({ "general.basename": str("Phi-3") });
  expect(result).not.toHaveProperty("name");
  expect(result["base_model.0.name"]).toBe("Phi-3");
});

test("moves what identifies the original alone to the base, and takes the original's own bases away", async () => {
  const result = await changes({
    "general.uuid": str("1-2-3"),
    "general.repo_url": str("https://huggingface.co/user/repo"),
    "general.base_model.count": u32(2),
    "general.base_model.0.name": str("older"),
    "general.base_model.0.doi": str("10.1/older"),
    "general.base_model.1.name": str("other"),
  });
  expect(result).toMatchObject({
    uuid: undefined,
    repo_url: undefined,
    "base_model.count": 1,
    "base_model.0.name": "llama",
    "base_model.0.uuid": "1-2-3",
    "base_model.0.repo_url": "https://huggingface.co/user/repo",
    "base_model.0.doi": undefined,
    "base_model.1.name": undefined,
  });
  expect(Object.keys(result)).toContain("base_model.1.name");
});

// As gguf-py's model_weight_count_rounded_notation has it.
test.each([
  [10_100_000, "10M"],
  [9_440_000, "9.4M"],
  [9_960_000, "10M"],
  [6_940_000_000, "6.9B"],
  [12_400_000_000, "12B"],
  [404_000, "404K"],
  [1_100_000_000_000, "1.1T"],
])("labels %i parameters %s", async (parameters, label) => {
  expect(await changes({ "general.size_label": str("13M") }, parameters)).toMatchObject({
    size_label: label,
  });
});

test("leaves alone a label that it cannot recompute, and a model that lost nothing", async () => {
  expect(await changes({ "general.size_label": str("8x7B") })).not.toHaveProperty("size_label");
  const untouched = plan({ schemaVersion: 1, model: { blockCount: 4 }, similarity: [[1]] }, { layers: "1" });
  expect(identity(new Map(), { ...untouched, removedLayers: [] }, 1).size).toBe(0);
});

test("carries over what is no UTF-8 byte for byte", async () => {
  const latin1 = (text: string) => {
    const bytes = Buffer.from(text, "latin1");
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return Buffer.concat([length, bytes]);
  };
  const file = await readGguf(
    writeInto(
      temporaryFolder(),
      "m.gguf",
      Buffer.from(
        buildGguf({
          metadata: {
            "general.name": str("Cafe\u0301 20L"),
            "general.author": str("Ren??"),
            "general.tags": array("string", ["caf??"]),
          },
        }),
      ).map((byte) => (byte === 0x3f ? 0xe9 : byte)),
    ),
  );
  const result = identity(file.metadata, PLAN, 1);
  const raw = (key: string) => Buffer.from(encodeValue(result.get(key)!));
  expect(raw("general.base_model.0.author")).toEqual(latin1("Ren\xe9\xe9"));
  expect(raw("general.tags").includes(latin1("caf\xe9\xe9"))).toBe(true);
  expect(raw("general.tags").subarray(4, 12)).toEqual(Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]));
});
