import { truncateSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fingerprint } from "../../src/gguf/fingerprint.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { writeHeader } from "../../src/gguf/write.ts";
import {
  buildGguf,
  buildSplitGguf,
  type Fixture,
  str,
  temporaryFolder,
  u32,
  writeInto,
  writeParts,
} from "../support/gguf.ts";

const data = (length: number, changed?: number) => {
  const bytes = Uint8Array.from({ length }, (_, i) => i % 251);
  if (changed !== undefined) bytes[changed] = 255;
  return bytes;
};
const fixture: Fixture = {
  metadata: { "general.name": str("m"), "x.block_count": u32(2) },
  tensors: [
    { name: "a", shape: [10_000], data: data(40_000) },
    { name: "b", shape: [3, 5], data: data(60) },
  ],
};
const first = fixture.tensors?.[0];
const second = fixture.tensors?.[1];

async function of(changed: Fixture): Promise<string> {
  return fingerprint(await readGguf(writeInto(temporaryFolder(), "m.gguf", buildGguf(changed))));
}

describe("the fingerprint", () => {
  test("is the same for split, merged, reordered and version 2 forms of one model", async () => {
    const whole = await of(fixture);
    expect(whole).toMatch(/^[0-9a-f]{64}$/);
    expect(await of({ ...fixture, version: 2 })).toBe(whole);
    const [path] = writeParts(temporaryFolder(), "m", buildSplitGguf(fixture, [1, 1]));
    expect(await fingerprint(await readGguf(path as string))).toBe(whole);
    expect(await of({ ...fixture, tensors: [second as never, first as never] })).toBe(whole);
  });

  test.each<[string, Fixture]>([
    ["a metadata value", { ...fixture, metadata: { ...fixture.metadata, "x.block_count": u32(3) } }],
    [
      "a metadata type",
      { ...fixture, metadata: { ...fixture.metadata, "x.block_count": { type: "int32", value: 2 } } },
    ],
    ["a tensor's name", { ...fixture, tensors: [{ ...first, name: "c" } as never, second as never] }],
    ["a tensor's shape", { ...fixture, tensors: [first as never, { ...second, shape: [5, 3] } as never] }],
    [
      "a small tensor's byte",
      { ...fixture, tensors: [first as never, { ...second, data: data(60, 30) } as never] },
    ],
    [
      "a large tensor's last byte",
      { ...fixture, tensors: [{ ...first, data: data(40_000, 39_999) } as never, second as never] },
    ],
    [
      "a large tensor's first byte",
      { ...fixture, tensors: [{ ...first, data: data(40_000, 0) } as never, second as never] },
    ],
  ])("differs when %s differs", async (_, changed) => {
    expect(await of(changed)).not.toBe(await of(fixture));
  });

  // NTFS would really allocate the file.
  test.skipIf(process.platform === "win32")("of a 40 GB model takes well under a second", async () => {
    const tensors = Array.from({ length: 500 }, (_, i) => ({
      name: `blk.${i}.w`,
      shape: [20_000_000],
      type: 0,
      byteLength: 80_000_000,
    }));
    const { bytes, fileSize } = writeHeader({ version: 3, alignment: 32, metadata: [], tensors });
    const path = writeInto(temporaryFolder(), "sparse.gguf", bytes);
    truncateSync(path, fileSize);
    const times: number[] = [];
    for (let run = 0; run < 3; run++) {
      const start = performance.now();
      await fingerprint(await readGguf(path));
      times.push(performance.now() - start);
    }
    expect(Math.min(...times)).toBeLessThan(1000);
  });
});
