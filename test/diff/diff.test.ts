import { join } from "node:path";
import { expect, test } from "vitest";
import { apply } from "../../src/api/apply.ts";
import { plan } from "../../src/api/plan.ts";
import { diffModels } from "../../src/diff/diff.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { array, buildGguf, type Fixture, str, temporaryFolder, u32, writeInto } from "../support/gguf.ts";

const block = (layer: number, fill: number) => ({
  name: `blk.${layer}.w`,
  shape: [32],
  data: new Uint8Array(128).fill(fill),
});

/** A model whose block tensors hold the given numbers. */
const model = (fills: readonly number[], metadata: Fixture["metadata"] = {}): Fixture => ({
  metadata: {
    "general.architecture": str("llama"),
    "llama.block_count": u32(fills.length),
    ...metadata,
  },
  tensors: fills.map((fill, layer) => block(layer, fill)),
});

async function diff(first: Fixture, second: Fixture) {
  const folder = temporaryFolder();
  const read = (name: string, fixture: Fixture) => readGguf(writeInto(folder, name, buildGguf(fixture)));
  return diffModels(await read("a.gguf", first), await read("b.gguf", second));
}

const cut = (original: number, removed: readonly number[]) => ({
  "lorp.original_block_count": u32(original),
  "lorp.removed_layers": array("uint32", removed),
});

test("finds no difference between a file and itself", async () => {
  const file = await readGguf(EXAMPLE_MODEL);
  const { tensors, metadata, renumbered } = await diffModels(file, file);
  expect(tensors).toEqual({ onlyInFirst: [], onlyInSecond: [], changed: [], same: file.tensors.length });
  expect(metadata).toEqual({ onlyInFirst: [], onlyInSecond: [], changed: [], same: file.metadata.size });
  expect(renumbered).toBe(false);
});

test("names what differs in type, shape and data, and what only one file has", async () => {
  const common = { name: "same", shape: [32] };
  const first = [
    common,
    { name: "type", shape: [32] },
    { name: "shape", shape: [32, 2] },
    { name: "gone", shape: [1] },
  ];
  const second = [
    common,
    { name: "type", shape: [32], type: "F16" },
    { name: "shape", shape: [2, 32] },
    { name: "new", shape: [1] },
  ];
  const result = await diff(
    { tensors: first, metadata: { a: u32(1), b: u32(2), c: str("x") } },
    { tensors: second, metadata: { a: u32(1), b: str("2"), d: str("x") } },
  );
  expect(result.tensors).toEqual({
    onlyInFirst: ["gone"],
    onlyInSecond: ["new"],
    changed: [
      { name: "type", types: ["F32", "F16"] },
      {
        name: "shape",
        shapes: [
          [32, 2],
          [2, 32],
        ],
      },
    ],
    same: 1,
  });
  expect(result.metadata).toEqual({ onlyInFirst: ["c"], onlyInSecond: ["d"], changed: ["b"], same: 1 });
});

test("sees one changed byte, wherever it is", async () => {
  const big = (byte: number) => {
    const data = new Uint8Array(4 * 600_000);
    data[data.length - 1] = byte;
    return { tensors: [{ name: "big", shape: [600_000], data }] };
  };
  expect((await diff(big(0), big(0))).tensors.changed).toEqual([]);
  expect((await diff(big(0), big(1))).tensors.changed).toEqual([{ name: "big", data: true }]);
});

test("knows a pruned file's blocks by the numbers they had", async () => {
  const result = await diff(model([10, 11, 12, 13]), model([10, 12, 99], cut(4, [1])));
  expect(result).toMatchObject({ renumbered: true, removed: [[], [1]] });
  expect(result.tensors).toEqual({
    onlyInFirst: ["blk.1.w"],
    onlyInSecond: [],
    changed: [{ name: "blk.3.w", data: true }],
    same: 2,
  });
});

test("compares two prunings of one model with each other", async () => {
  const { tensors, removed } = await diff(model([10, 12, 13], cut(4, [1])), model([10, 11, 13], cut(4, [2])));
  expect(removed).toEqual([[1], [2]]);
  expect(tensors).toMatchObject({
    onlyInFirst: ["blk.2.w"],
    onlyInSecond: ["blk.1.w"],
    changed: [],
    same: 2,
  });
});

test("believes no number of layers that llama.cpp could not run", async () => {
  const odd = model([10, 11], { ...cut(2 ** 32 - 1, [1]), "lorp.first_layers": array("uint32", [0]) });
  const odder = { ...odd, metadata: { ...odd.metadata, "lorp.first_block_count": u32(2 ** 32 - 1) } };
  expect(await diff(odd, odder)).toMatchObject({
    renumbered: false,
    removed: [[], []],
    tensors: { same: 2 },
  });
});

test("takes the numbers as they are when the files come from models of different depth", async () => {
  const { renumbered, tensors } = await diff(model([10, 11, 12]), model([10, 11, 12], cut(4, [1])));
  expect(renumbered).toBe(false);
  expect(tensors.same).toBe(3);
});

test("finds in a file that lorp wrote the original without the removed blocks, nothing else", async () => {
  const output = join(temporaryFolder(), "out.gguf");
  const original = await readGguf(EXAMPLE_MODEL);
  const decided = plan(
    { schemaVersion: 1, model: { blockCount: 20 }, similarity: [] },
    { layers: "5,7,11-13" },
  );
  await apply(EXAMPLE_MODEL, decided, { output });
  const { tensors, removed } = await diffModels(original, await readGguf(output));
  const lost = original.tensors.map(({ name }) => name).filter((name) => /^blk\.(5|7|11|12|13)\./.test(name));
  expect(removed).toEqual([[], [5, 7, 11, 12, 13]]);
  expect(tensors).toEqual({
    onlyInFirst: lost,
    onlyInSecond: [],
    changed: [],
    same: original.tensors.length - lost.length,
  });
});
