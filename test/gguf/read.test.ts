import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AbortedError } from "../../src/errors.ts";
import type { GgufErrorCode } from "../../src/gguf/errors.ts";
import { GgufError } from "../../src/gguf/errors.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufValue } from "../../src/gguf/types.ts";
import { concat, encodeString, encodeType, encodeValue } from "../../src/gguf/values.ts";
import {
  array,
  buildGguf,
  buildSplitGguf,
  type Fixture,
  f32,
  str,
  temporaryFolder,
  u8,
  u16,
  u32,
  u64,
  writeParts,
} from "../support/gguf.ts";
import { memoryFiles } from "../support/memory-files.ts";

const example = "examples/books-20l-q8_0.gguf";

const read = (bytes: Uint8Array) => readGguf("m.gguf", { open: memoryFiles({ "m.gguf": bytes }) });

async function failure(reading: Promise<unknown>): Promise<GgufError> {
  const error = await reading.then(
    () => "no error",
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(GgufError);
  return error as GgufError;
}

const expectCode = async (bytes: Uint8Array, code: GgufErrorCode, offset?: number) => {
  const error = await failure(read(bytes));
  expect(error.code).toBe(code);
  if (offset !== undefined) expect(error.offset).toBe(offset);
};

/** A file written out by hand, independent of this project's writer: one entry, one tensor of two floats. */
const handmade = Uint8Array.from([
  ...[0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0], // "GGUF", version 3
  ...[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], // one tensor, one metadata entry
  ...[1, 0, 0, 0, 0, 0, 0, 0, 0x6b], // key "k"
  ...[9, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 5, 0], // array of two int16: -1, 5
  ...[1, 0, 0, 0, 0, 0, 0, 0, 0x74, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], // tensor "t", one dimension of 2
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // F32 at offset 0
  ...new Array(10).fill(0), // padding from 86 to 96
  ...[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], // 1, -2
]);

const tensors = [
  { name: "a", shape: [4, 3] },
  { name: "b", shape: [32, 2], type: "Q8_0" },
  { name: "c", shape: [7], type: "F16" },
];

describe("reading", () => {
  test("a file written by hand", async () => {
    const file = await read(handmade);
    expect(file).toMatchObject({ version: 3, alignment: 32, paths: ["m.gguf"], sizes: [104] });
    expect(file.metadata.get("k")).toMatchObject({ type: "array", elementType: "int16", length: 2 });
    expect(file.metadata.get("k")?.decode()).toEqual({ type: "array", elementType: "int16", value: [-1, 5] });
    expect(file.tensors).toEqual([
      { name: "t", shape: [2], type: 0, typeName: "F32", byteLength: 8, file: 0, fileOffset: 96 },
    ]);
  });

  test("the example model", async () => {
    const file = await readGguf(example);
    expect(file.tensors).toHaveLength(182);
    expect(file.metadata.get("general.architecture")?.decode().value).toBe("llama");
    expect(file.metadata.get("llama.block_count")?.decode()).toEqual({ type: "uint32", value: 20 });
    expect(file.metadata.get("tokenizer.ggml.tokens")?.length).toBe(4096);
    const last = file.tensors.at(-1);
    expect((last?.fileOffset ?? 0) + (last?.byteLength ?? 0)).toBe(statSync(example).size);
  });

  test("every metadata type, nested arrays and the greatest values included", async () => {
    const metadata: Record<string, GgufValue> = {
      u8: { type: "uint8", value: 255 },
      i8: { type: "int8", value: -128 },
      u16: { type: "uint16", value: 65535 },
      i16: { type: "int16", value: -32768 },
      u32: { type: "uint32", value: 4294967295 },
      i32: { type: "int32", value: -2147483648 },
      f32: { type: "float32", value: 1.5 },
      bool: { type: "bool", value: true },
      string: { type: "string", value: "block № 1 — 😀\0" },
      u64: { type: "uint64", value: 2n ** 64n - 1n },
      i64: { type: "int64", value: -(2n ** 63n) },
      f64: { type: "float64", value: Math.PI },
      strings: array("string", ["", "a", "ü"]),
      bools: array("bool", [true, false]),
      empty: array("uint64", []),
      nested: {
        type: "array",
        elementType: "array",
        value: [array("int8", [-1]), array("string", ["x"])] as never,
      },
    };
    for (const version of [2, 3] as const) {
      const file = await read(buildGguf({ version, metadata }));
      expect(file.version).toBe(version);
      const decoded = [...file.metadata].map(([key, entry]) => [key, entry.decode()]);
      expect(Object.fromEntries(decoded)).toEqual(metadata);
      for (const entry of file.metadata.values()) expect(encodeValue(entry.decode())).toEqual(entry.raw);
    }
  });

  test("alignment, and tensors of a type it does not know", async () => {
    const fixture = { metadata: { "general.alignment": u32(128) }, tensors };
    const bytes = buildGguf(fixture);
    const { tensors: known } = await read(bytes);
    for (const { fileOffset } of known) expect(fileOffset % 128).toBe(0);
    // The type of "b" stands after its name, its dimension count and two dimensions.
    const typeAt = Buffer.from(bytes).indexOf(concat([encodeString("b")])) + 9 + 4 + 16;
    bytes[typeAt] = 99;
    const file = await read(bytes);
    expect(file.tensors[1]).toMatchObject({ typeName: "type-99", byteLength: 128, shape: [32, 2] });
    expect(file.tensors[2]).toEqual(known[2]);
  });

  test("a header longer than the first read", async () => {
    const tokens = Array.from({ length: 150_000 }, (_, i) => `token ${i}`);
    const file = await read(
      buildGguf({ metadata: { tokens: array("string", tokens), last: u32(7) }, tensors }),
    );
    expect(file.metadata.get("tokens")?.decode().value).toEqual(tokens);
    expect(file.metadata.get("last")?.decode().value).toBe(7);
  });

  test("a value that is no UTF-8 is told with U+FFFD in it, and its bytes stay", async () => {
    const bytes = buildGguf({ metadata: { text: str("abc") } });
    const at = Buffer.from(bytes).indexOf("abc");
    bytes[at + 1] = 0xff;
    const entry = (await read(bytes)).metadata.get("text");
    expect(entry?.decode().value).toBe("a\ufffdc");
    expect(entry?.raw.subarray(8)).toEqual(Uint8Array.of(0x61, 0xff, 0x63));
  });

  test("an abort before and while it reads", async () => {
    await expect(readGguf(example, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AbortedError);
  });
});

describe("split models", () => {
  const fixture = { metadata: { "general.name": str("split") }, tensors };

  test.each([[[1, 1, 1]], [[0, 2, 1]], [[3]]])("%j tensors a part, read from any part", async (perPart) => {
    const folder = temporaryFolder();
    const paths = writeParts(folder, "model", buildSplitGguf(fixture, perPart));
    const files = await Promise.all(paths.map((path) => readGguf(path)));
    expect(files[0]?.paths).toEqual(paths);
    expect(files[0]?.tensors.map(({ name, file }) => [name, file])).toEqual(
      perPart
        .flatMap((count, file) => Array.from({ length: count }, () => file))
        .map((file, i) => ["abc"[i], file]),
    );
    for (const file of files) {
      expect(file.tensors).toEqual(files[0]?.tensors);
      expect([...file.metadata.keys()]).toEqual([...(files[0]?.metadata.keys() ?? [])]);
    }
  });

  test("a missing part is named", async () => {
    const paths = writeParts(temporaryFolder(), "model", buildSplitGguf(fixture, [1, 1, 1]));
    rmSync(paths[1] as string);
    const error = await failure(readGguf(paths[2] as string));
    expect(error.code).toBe("GGUF_MISSING_PART");
    expect(error.message).toContain("model-00002-of-00003.gguf");
  });

  const part = (no: number, perPart: number[], changed: Fixture = fixture) =>
    buildSplitGguf(changed, perPart)[no] as Uint8Array;
  const names = ["m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"] as const;
  const good = [part(0, [1, 1, 1]), part(1, [1, 1, 1]), part(2, [1, 1, 1])] as const;

  test.each<[string, readonly Uint8Array[], GgufErrorCode]>([
    ["the same part twice", [good[0], good[1], good[1]], "GGUF_SPLIT"],
    ["a part of another count", [good[0], part(1, [1, 2]), good[2]], "GGUF_SPLIT"],
    ["an unsplit file as a part", [good[0], good[1], buildGguf({ tensors })], "GGUF_SPLIT"],
    ["a tensor in two parts", [good[0], part(1, [0, 1, 0]), good[2]], "GGUF_DUPLICATE"],
    ["fewer tensors than announced", [good[0], part(1, [1, 0, 1]), good[2]], "GGUF_SPLIT"],
    [
      "a negative number",
      [buildGguf({ metadata: { "split.count": u16(3), "split.no": { type: "int32", value: -1 } } })],
      "GGUF_SPLIT",
    ],
    ["a name that is another part's", [good[1], good[1], good[2]], "GGUF_SPLIT"],
  ])("%s is refused", async (_, parts, code) => {
    const files = Object.fromEntries(names.map((name, i) => [name, parts[i] ?? good[i]])) as Record<
      string,
      Uint8Array
    >;
    expect((await failure(readGguf(names[0], { open: memoryFiles(files) }))).code).toBe(code);
  });
});

describe("refused by name", () => {
  const header = (tensorCount: number, metadataCount: number, ...rest: Uint8Array[]) =>
    concat([
      handmade.subarray(0, 8),
      ...[tensorCount, metadataCount].map((n) => encodeValue(u64(n))),
      ...rest,
      new Uint8Array(256),
    ]);
  const entry = (key: string, value: GgufValue) =>
    concat([encodeString(key), encodeType(value.type), encodeValue(value)]);
  const tensor = (name: string, shape: number[], offset: number, type = 0) =>
    concat([
      encodeString(name),
      encodeValue(u32(shape.length)),
      ...shape.map((n) => encodeValue(u64(n))),
      encodeValue(u32(type)),
      encodeValue(u64(offset)),
    ]);
  const patched = (at: number, ...bytes: number[]) => {
    const copy = handmade.slice();
    copy.set(bytes, at);
    return copy;
  };
  const u64Max = [255, 255, 255, 255, 255, 255, 255, 255];

  test.each<[string, Uint8Array, GgufErrorCode, number]>([
    ["an empty file", new Uint8Array(0), "GGUF_NOT_GGUF", 0],
    ["another format", new TextEncoder().encode("PK, not a model"), "GGUF_NOT_GGUF", 0],
    ["version 1", patched(4, 1), "GGUF_VERSION", 4],
    ["version 0", patched(4, 0), "GGUF_VERSION", 4],
    ["a version to come", patched(4, 4), "GGUF_VERSION", 4],
    ["big-endian", patched(4, 0, 0, 0, 3), "GGUF_BIG_ENDIAN", 4],
    ["a huge number of tensors", patched(8, ...u64Max), "GGUF_COUNT", 8],
    ["more entries than fit", patched(16, 100), "GGUF_COUNT", 16],
    ["a huge key length", patched(24, ...u64Max), "GGUF_COUNT", 24],
    ["an unknown metadata type", patched(33, 13), "GGUF_VALUE_TYPE", 33],
    ["an unknown element type", patched(37, 200), "GGUF_VALUE_TYPE", 37],
    ["a huge array", patched(41, 0, 0, 0, 0, 0, 1), "GGUF_COUNT", 41],
    ["a key that is not UTF-8", patched(32, 0xff), "GGUF_UTF8", 32],
    ["a tensor name that is not UTF-8", patched(61, 0x80), "GGUF_UTF8", 61],
    ["five dimensions", patched(62, 5), "GGUF_TENSOR_SHAPE", 62],
    ["a huge dimension", patched(66, ...u64Max), "GGUF_COUNT", 66],
    ["a dimension beyond the file", patched(66, 3), "GGUF_TRUNCATED", 104],
    ["an unaligned tensor", patched(78, 4), "GGUF_TENSOR_LAYOUT", 78],
    ["an empty key", header(0, 1, entry("", u8(1))), "GGUF_KEY", 24],
    ["a key twice", header(0, 2, entry("a", u8(1)), entry("a", u8(2))), "GGUF_DUPLICATE", 24 + 14],
    ["a tensor twice", header(2, 0, tensor("t", [8], 0), tensor("t", [8], 32)), "GGUF_DUPLICATE", 24 + 33],
    [
      "overlapping tensors",
      header(2, 0, tensor("t", [9], 0), tensor("u", [8], 32)),
      "GGUF_TENSOR_LAYOUT",
      24 + 33 + 25,
    ],
    ["a broken block", header(1, 0, tensor("t", [33], 0, 8)), "GGUF_TENSOR_SHAPE", 24 + 9],
    ["a product beyond 2^53", header(1, 0, tensor("t", [2 ** 30, 2 ** 30], 0)), "GGUF_TENSOR_SHAPE", 24 + 9],
    ["alignment 0", header(0, 1, entry("general.alignment", u32(0))), "GGUF_ALIGNMENT", 24 + 29],
    ["alignment 24", header(0, 1, entry("general.alignment", u32(24))), "GGUF_ALIGNMENT", 24 + 29],
    ["alignment 2^31", header(0, 1, entry("general.alignment", u32(2 ** 31))), "GGUF_ALIGNMENT", 24 + 29],
    ["alignment 2^63", header(0, 1, entry("general.alignment", u64(2n ** 63n))), "GGUF_ALIGNMENT", 24 + 29],
    ["alignment as a float", header(0, 1, entry("general.alignment", f32(32))), "GGUF_ALIGNMENT", 24 + 29],
  ])("%s", (_, bytes, code, offset) => expectCode(bytes, code, offset));

  test("arrays nested too deep", () => {
    let value = array("uint8", []);
    for (let depth = 0; depth < 20; depth++)
      value = { type: "array", elementType: "array", value: [value] as never };
    return expectCode(header(0, 1, entry("a", value)), "GGUF_NESTING");
  });

  test("a header that would fill the memory, without reading it", async () => {
    // One array of 2^40 bytes in a file that is long enough to hold it.
    const start = header(
      0,
      1,
      encodeString("a"),
      encodeType("array"),
      encodeType("uint8"),
      encodeValue(u64(2 ** 40)),
    );
    let bytesRead = 0;
    const open = async () => ({
      size: 2 ** 41,
      state: "",
      async read(buffer: Uint8Array, position: number) {
        bytesRead += buffer.length;
        buffer.set(start.subarray(position, position + buffer.length));
        return buffer.length;
      },
      async close() {},
    });
    expect((await failure(readGguf("m.gguf", { open }))).code).toBe("GGUF_HEADER_TOO_LARGE");
    expect(bytesRead).toBeLessThanOrEqual(2 ** 20);
  });

  test("every truncation of a whole file", async () => {
    const bytes = buildGguf({ metadata: { name: str("x"), list: array("string", ["a", "b"]) }, tensors });
    const dataEnd = bytes.length - 18; // the last tensor's padding may be missing
    for (let length = 0; length < dataEnd; length++) {
      const error = await failure(read(bytes.subarray(0, length)));
      expect(error.offset).toBeLessThanOrEqual(length);
    }
    await read(bytes.subarray(0, dataEnd));
  });

  test("a path that is no file, in one sentence", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "folder"));
    const pipes = process.platform === "win32" ? [] : ["pipe"];
    for (const pipe of pipes) execFileSync("mkfifo", [join(folder, pipe)]);
    for (const name of ["none", "folder", ...pipes]) {
      const error = await failure(readGguf(join(folder, name)));
      expect(error.code).toBe("GGUF_UNREADABLE");
      expect(error.message).toMatch(/^Cannot read [^\n]*; check the path and its permissions\.$/);
    }
  });
});
