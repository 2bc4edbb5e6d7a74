import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AbortedError } from "../../src/errors.ts";
import { addon, type NativeControl } from "../../src/native/addon.ts";
import { copyRange, type Range } from "../../src/surgery/copy.ts";
import { temporaryFolder } from "../support/gguf.ts";

const SIZE = 200_000;

async function withFiles<T>(
  content: Uint8Array,
  use: (copy: (range: Range, signal?: AbortSignal) => Promise<void>, targetPath: string) => Promise<T>,
): Promise<T> {
  const folder = temporaryFolder();
  const paths = { source: join(folder, "source"), target: join(folder, "target") };
  writeFileSync(paths.source, content);
  const source = { path: paths.source, handle: await open(paths.source, "r") };
  const target = { path: paths.target, handle: await open(paths.target, "w") };
  try {
    return await use((range, signal) => copyRange(source, target, range, signal, () => {}), paths.target);
  } finally {
    await source.handle.close();
    await target.handle.close();
  }
}

/** Offsets at, just before and just after the starts of blocks, and anywhere. */
const offset = fc.oneof(
  fc
    .tuple(fc.nat(20), fc.integer({ min: -1, max: 1 }))
    .map(([block, shift]) => Math.max(0, block * 4096 + shift)),
  fc.nat(90_000),
);

test("a range arrives where it belongs, and nothing else changes", async () => {
  const content = new Uint8Array(randomBytes(SIZE));
  await withFiles(content, async (copy, targetPath) => {
    const expected = new Uint8Array(SIZE * 2);
    writeFileSync(targetPath, expected);
    await fc.assert(
      fc.asyncProperty(offset, offset, offset, async (from, to, length) => {
        await copy({ from, to, length });
        expected.set(content.subarray(from, from + length), to);
        expect(Buffer.compare(readFileSync(targetPath), expected)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

test("a source that ends too early is an error", () =>
  withFiles(new Uint8Array(10_000), async (copy) => {
    await expect(copy({ from: 5000, to: 0, length: 5001 })).rejects.toMatchObject({ code: "INPUT_CHANGED" });
  }));

test("an abort stops it", () =>
  withFiles(new Uint8Array(10_000), async (copy) => {
    await expect(copy({ from: 0, to: 0, length: 10 }, AbortSignal.abort())).rejects.toBeInstanceOf(
      AbortedError,
    );
  }));

test("the addon refuses what is no range of files", () => {
  const control = new addon.Control();
  expect(() => addon.copyFileRange(-1, 0, 1, 0, 1, control)).toThrow(TypeError);
  expect(() => addon.copyFileRange(0, 0.5, 1, 0, 1, control)).toThrow(TypeError);
  expect(() => addon.copyFileRange(0, 0, 1, 0, -1, control)).toThrow(TypeError);
  expect(() => addon.copyFileRange(0, 0, 1, 0, 1, {} as NativeControl)).toThrow(TypeError);
});

test("a file descriptor that is not open moves nothing", async () => {
  expect(await addon.copyFileRange(9999, 0, 9998, 0, 100, new addon.Control())).toBe(0);
});
