import { rmSync, statSync, truncateSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { fingerprint } from "../../src/provenance/fingerprint.ts";
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
      "a byte in the middle of a large tensor",
      { ...fixture, tensors: [{ ...first, data: data(40_000, 20_000) } as never, second as never] },
    ],
  ])("differs when %s differs", async (_, changed) => {
    expect(await of(changed)).not.toBe(await of(fixture));
  });

  test("stops when it is asked to, and refuses a file that became shorter", async () => {
    const path = writeInto(temporaryFolder(), "m.gguf", buildGguf(fixture));
    const file = await readGguf(path);
    await expect(fingerprint(file, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
    truncateSync(path, statSync(path).size - 100);
    await expect(fingerprint(file)).rejects.toMatchObject({ code: "GGUF_TRUNCATED" });
    rmSync(path);
    await expect(fingerprint(file)).rejects.toMatchObject({ code: "GGUF_UNREADABLE" });
  });
});
