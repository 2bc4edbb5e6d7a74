import fc from "fast-check";
import { expect, test } from "vitest";
import { GgufError, type GgufErrorCode } from "../../src/gguf/errors.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufFile, GgufValue } from "../../src/gguf/types.ts";
import { encodeValue } from "../../src/gguf/values.ts";
import {
  array,
  bool,
  buildGguf,
  buildSplitGguf,
  type Fixture,
  f32,
  str,
  u8,
  u16,
  u32,
  u64,
} from "../support/gguf.ts";
import { memoryFiles } from "../support/memory-files.ts";

/** Mutated files in the random part; the exhaustive part below adds every truncation and every single bit. */
const RUNS = 20_000;
/** Milliseconds of computing: what waits for other processes does not count. */
const TIME_LIMIT = 1000;
const TEST_TIMEOUT = 600_000;
const MEMORY_LIMIT = 64 * 2 ** 20;

const fixture: Fixture = {
  metadata: {
    "general.architecture": str("llama"),
    "general.alignment": u32(64),
    "llama.block_count": u32(2),
    "llama.rope.freq_base": f32(10_000),
    "llama.flag": bool(true),
    "tokenizer.ggml.tokens": array("string", ["<s>", "ä", "", "tok"]),
    "tokenizer.ggml.scores": array("float32", [0, -1, -2]),
    nested: { type: "array", elementType: "array", value: [array("uint8", [1, 2])] as never },
    big: u64(2n ** 63n),
    small: u8(1),
  },
  tensors: [
    { name: "token_embd.weight", shape: [8, 4] },
    { name: "blk.0.w", shape: [32, 2], type: "Q8_0" },
    { name: "blk.1.w", shape: [5], type: "F16" },
    { name: "empty", shape: [0] },
  ],
};

const WHOLE = "m.gguf";
const PARTS = [1, 2, 3].map((no) => `m-0000${no}-of-00003.gguf`);
const parts = (perPart: number[]) =>
  buildSplitGguf(fixture, perPart).map((bytes, i) => [PARTS[i], bytes] as const);
type Files = Record<string, Uint8Array>;
const bases: Files[] = [
  { [WHOLE]: buildGguf(fixture) },
  { [WHOLE]: buildGguf({ ...fixture, version: 2, metadata: {} }) },
  Object.fromEntries(parts([2, 1, 1])),
  Object.fromEntries(parts([0, 3, 1])),
];

/** Every error code the mutations have led to. */
const seen = new Set<string>();

function checkSound(file: GgufFile): void {
  const names = new Set(file.tensors.map(({ name }) => name));
  expect(names.size).toBe(file.tensors.length);
  const ends = file.paths.map(() => 0);
  for (const { fileOffset, byteLength, file: part } of file.tensors.toSorted(
    (a, b) => a.fileOffset - b.fileOffset,
  )) {
    if (fileOffset < ends[part]! || fileOffset + byteLength > file.sizes[part]!)
      throw new Error("overlap or overrun");
    ends[part] = fileOffset + byteLength;
  }
  for (const entry of file.metadata.values()) {
    const value = decodeOrFail(() => entry.decode());
    // Booleans other than 0 and 1, and not-a-numbers, have several forms on disk.
    if (value !== undefined && !/float|bool|array/.test(entry.type))
      if (!JSON.stringify(value, plain).includes("\ufffd"))
        // What is no UTF-8 is only told, and carried over as bytes.
        expect(encodeValue(value)).toEqual(entry.raw);
  }
}

const plain = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

function decodeOrFail(decode: () => GgufValue): GgufValue | undefined {
  try {
    return decode();
  } catch (error) {
    checkError(error);
    return undefined;
  }
}

function checkError(error: unknown): void {
  if (!(error instanceof GgufError)) throw error;
  if (!Number.isSafeInteger(error.offset) || error.offset < 0 || error.reason === "") throw error;
  seen.add(error.code);
}

const heldBytes = () => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

async function checkFiles(files: Files, path: string): Promise<void> {
  const heldBefore = heldBytes();
  const start = process.cpuUsage();
  try {
    checkSound(await readGguf(path, { open: memoryFiles(files) }));
  } catch (error) {
    checkError(error);
  }
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(TIME_LIMIT);
  expect(heldBytes() - heldBefore).toBeLessThan(MEMORY_LIMIT);
}

const u64Bytes = (value: bigint) => encodeValue(u64(value));
/** Numbers that counts, lengths, offsets and types break at. */
const hostile: Uint8Array[] = [
  ...[0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n].map(u64Bytes),
  ...[0, 1, 9, 8, 13, 31, 2 ** 30, 2 ** 32 - 1].map((n) => encodeValue(u32(n))),
  ...[0, 1, 2, 65535].map((n) => encodeValue(u16(n))),
];

interface Mutation {
  readonly name: string;
  readonly apply: (bytes: Uint8Array) => Uint8Array;
}
/** A place in a file. (fc.double would mostly give numbers next to 0.) */
const place = fc.integer({ min: 0, max: 2 ** 20 - 1 }).map((n) => n / 2 ** 20);
const at = (bytes: Uint8Array, where: number) => Math.floor(where * (bytes.length + 1));
const splice = (bytes: Uint8Array, from: number, to: number, insert: Uint8Array) =>
  Uint8Array.from([...bytes.subarray(0, from), ...insert, ...bytes.subarray(to)]);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  place.map((where) => ({ name: `cut at ${where}`, apply: (b: Uint8Array) => b.slice(0, at(b, where)) })),
  fc.tuple(place, fc.nat(7)).map(([where, bit]) => ({
    name: `flip bit ${bit} at ${where}`,
    apply: (b: Uint8Array) => b.map((byte, i) => (i === at(b, where) ? byte ^ (1 << bit) : byte)),
  })),
  fc.tuple(place, fc.constantFrom(...hostile)).map(([where, value]) => ({
    name: `write ${value} at ${where}`,
    apply: (b: Uint8Array) => {
      const from = at(b, where);
      return splice(b, from, Math.min(b.length, from + value.length), value);
    },
  })),
  fc.tuple(place, place, place).map(([a, b, c]) => ({
    name: `copy ${a}…${b} to ${c}`,
    apply: (bytes: Uint8Array) => {
      const [from, to] = [at(bytes, a), at(bytes, b)].sort((x, y) => x - y) as [number, number];
      return splice(bytes, at(bytes, c), at(bytes, c), bytes.slice(from, to));
    },
  })),
  fc.tuple(place, fc.nat(64)).map(([where, length]) => ({
    name: `drop ${length} bytes at ${where}`,
    apply: (b: Uint8Array) =>
      splice(b, at(b, where), Math.min(b.length, at(b, where) + length), new Uint8Array(0)),
  })),
  fc.tuple(place, fc.uint8Array({ maxLength: 16 })).map(([where, bytes]) => ({
    name: `insert ${bytes} at ${where}`,
    apply: (b: Uint8Array) => splice(b, at(b, where), at(b, where), bytes),
  })),
);

const mutatedFiles = fc
  .tuple(
    fc.constantFrom(...bases),
    fc.array(mutation, { minLength: 1, maxLength: 4 }),
    fc.nat(2),
    fc.nat(2),
    fc.nat(9),
  )
  .map(([base, mutations, changedNo, openedNo, shuffle]) => {
    const names = Object.keys(base);
    const changed = names[changedNo % names.length]!;
    const files = {
      ...base,
      [changed]: mutations.reduce((bytes, { apply }) => apply(bytes), base[changed]!),
    };
    // Now and then a part stands under another part's name: a chain of parts that leads back to itself.
    const other = names[(changedNo + 1) % names.length]!;
    if (shuffle === 0) files[other] = files[changed]!;
    if (shuffle === 1 && names.length > 1) delete files[other];
    return { files, path: names[openedNo % names.length]!, mutations: mutations.map(({ name }) => name) };
  });

test(
  "every single-bit change and every truncation ends well",
  async () => {
    let count = 0;
    for (const base of bases) {
      const path = Object.keys(base)[0]!;
      const bytes = base[path]!;
      for (let length = 0; length <= bytes.length; length++, count++) {
        await checkFiles({ ...base, [path]: bytes.subarray(0, length) }, path);
      }
      for (let bit = 0; bit < bytes.length * 8; bit++, count++) {
        const flipped = bytes.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        await checkFiles({ ...base, [path]: flipped }, path);
      }
    }
    expect(count).toBeGreaterThan(15_000);
  },
  TEST_TIMEOUT,
);

test(
  `${RUNS} randomly damaged files end well`,
  async () => {
    await fc.assert(
      fc.asyncProperty(mutatedFiles, ({ files, path }) => checkFiles(files, path)),
      { numRuns: RUNS },
    );
    // Damage of every kind was really done.
    const usual: GgufErrorCode[] = [
      "GGUF_ALIGNMENT",
      "GGUF_COUNT",
      "GGUF_DUPLICATE",
      "GGUF_KEY",
      "GGUF_MISSING_PART",
      "GGUF_NOT_GGUF",
      "GGUF_SPLIT",
      "GGUF_TENSOR_LAYOUT",
      "GGUF_TENSOR_SHAPE",
      "GGUF_TRUNCATED",
      "GGUF_UTF8",
      "GGUF_VALUE_TYPE",
      "GGUF_VERSION",
    ];
    expect([...seen]).toEqual(expect.arrayContaining(usual));
  },
  TEST_TIMEOUT,
);
