import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openCaptureCache as openIn } from "../../src/analysis/cache.ts";
import { readCheckpoint } from "../../src/analysis/checkpoint.ts";
import { cacheFolder } from "../../src/files/cache-folder.ts";
import { type CacheKey, openCachePlace } from "../../src/files/cache-place.ts";
import { temporaryFolder } from "../support/gguf.ts";

const key = { model: "a", text: "b", sequenceLength: 512 };
const openCaptureCache = async (folder: string, given: CacheKey, resume: boolean) =>
  openIn(await openCachePlace(folder, "captures", given), resume);
const measured = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ sums: Float64Array.of(0, i / 3, 0, 0), tokens: 512 }));

test("a finished capture serves every later one with the same key", async () => {
  const folder = temporaryFolder();
  const cache = await openCaptureCache(folder, key, false);
  expect(cache.earlier).toEqual([]);
  await cache.finish(measured(3));
  expect((await openCaptureCache(folder, key, false)).earlier).toEqual(measured(3));
  const reordered = { sequenceLength: 512, text: "b", model: "a" };
  expect((await openCaptureCache(folder, reordered, false)).earlier.length).toBe(3);
  for (const other of [
    { ...key, model: "c" },
    { ...key, sequenceLength: 256 },
    { ...key, more: true },
  ]) {
    expect((await openCaptureCache(folder, other, true)).earlier).toEqual([]);
  }
});

test("an interrupted capture serves only those that resume, and goes when one is finished", async () => {
  const folder = temporaryFolder();
  await (await openCaptureCache(folder, key, false)).interrupt(measured(5));
  expect((await openCaptureCache(folder, key, false)).earlier).toEqual([]);
  const resumed = await openCaptureCache(folder, key, true);
  expect(resumed.earlier).toEqual(measured(5));
  await resumed.finish(measured(7));
  expect(readdirSync(join(folder, "captures")).length).toBe(1);
  expect((await openCaptureCache(folder, key, true)).earlier.length).toBe(7);
});

test("less is never written over more", async () => {
  const folder = temporaryFolder();
  await (await openCaptureCache(folder, key, false)).finish(measured(6));
  await (await openCaptureCache(folder, key, false)).finish(measured(2));
  expect((await openCaptureCache(folder, key, false)).earlier.length).toBe(6);
});

test("the first sequences are saved at once, later ones after a minute at the latest", async () => {
  const folder = temporaryFolder();
  const cache = await openCaptureCache(folder, key, false);
  const saved = async () => (await openCaptureCache(folder, key, true)).earlier.length;
  const clock = vi.spyOn(performance, "now");
  const at = (...seconds: number[]) => {
    for (const second of seconds) clock.mockReturnValueOnce(1000 * second);
  };
  at(1, 1, 2); // Saving takes a second, of which there may be one in a hundred.
  await cache.offer(measured(1));
  expect(await saved()).toBe(1);
  at(61);
  await cache.offer(measured(2));
  expect(await saved()).toBe(1);
  at(62, 62, 62.1);
  await cache.offer(measured(3));
  expect(await saved()).toBe(3);
  at(72);
  await cache.offer(measured(4));
  expect(await saved()).toBe(3);
  at(72.2, 72.2, 72.3);
  await cache.offer(measured(5));
  expect(await saved()).toBe(5);
  clock.mockRestore();
});

test("a folder that cannot be made is told before any work", async () => {
  const folder = join(temporaryFolder(), "file");
  writeFileSync(folder, "");
  await expect(openCaptureCache(folder, key, false)).rejects.toMatchObject({ code: "CACHE_UNWRITABLE" });
});

test("what cannot be saved or read is told by name", async () => {
  const folder = temporaryFolder();
  const cache = await openCaptureCache(folder, key, false);
  const captures = join(folder, "captures");
  rmSync(captures, { recursive: true });
  writeFileSync(captures, "");
  await expect(cache.offer(measured(1))).rejects.toMatchObject({ code: "CACHE_UNWRITABLE" });
  await expect(readCheckpoint(folder)).rejects.toMatchObject({ code: "CHECKPOINT_INVALID" });
});

test("the folder is where the platform keeps caches", () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv("XDG_CACHE_HOME", "/x");
  vi.stubEnv("LOCALAPPDATA", "L");
  expect(cacheFolder("linux")).toBe(join("/x", "lorp"));
  expect(cacheFolder("darwin")).toBe(join(homedir(), "Library", "Caches", "lorp"));
  expect(cacheFolder("win32")).toBe(join("L", "lorp", "cache"));
  vi.stubEnv("XDG_CACHE_HOME", "");
  expect(cacheFolder("linux")).toBe(join(homedir(), ".cache", "lorp"));
});
