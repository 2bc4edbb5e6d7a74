import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCachePlace } from "../../src/files/cache-place.ts";
import { openKeptValues } from "../../src/files/kept-values.ts";
import { temporaryFolder } from "../support/gguf.ts";

const key = { model: "a", bos: 1 };
const open = async (folder: string, of: Parameters<typeof openCachePlace>[2] = key) =>
  openKeptValues(await openCachePlace(folder, "measurements", of));

test("what one run adds, even one that is never closed, serves every later one with the same key", async () => {
  const folder = temporaryFolder();
  const kept = await open(folder);
  expect(kept.get("x")).toBeUndefined();
  await kept.add("x", [1, 0.1]);
  expect(kept.get("x")).toEqual([1, 0.1]);
  const later = await open(folder, { bos: 1, model: "a" });
  await later.add("y", { z: null });
  await kept.add("w", 3);
  const last = await open(folder);
  expect(["x", "y", "w"].map((name) => last.get(name))).toEqual([[1, 0.1], { z: null }, 3]);
  expect((await open(folder, { ...key, bos: 2 })).get("x")).toBeUndefined();
});

test("a damaged line costs what it held, and nothing else", async () => {
  const folder = temporaryFolder();
  const { stem } = await openCachePlace(folder, "measurements", key);
  writeFileSync(`${stem}.jsonl`, '["a",1]\n{"b":2}\n[3,4]\n["c",');
  await (await open(folder)).add("d", 5);
  appendFileSync(`${stem}.jsonl`, "\u0000\n");
  const kept = await open(folder);
  expect(["a", "b", "c", "d"].map((name) => kept.get(name))).toEqual([1, undefined, undefined, 5]);
  expect(readFileSync(`${stem}.jsonl`, "utf8")).toContain('\n["d",5]\n');
});

test("a folder that cannot be written to is told by name", async () => {
  const folder = temporaryFolder();
  const kept = await open(folder);
  rmSync(join(folder, "measurements"), { recursive: true });
  writeFileSync(join(folder, "measurements"), "");
  await expect(kept.add("x", 1)).rejects.toThrow(
    /cache folder .*measurements cannot be written to \(ENOTDIR\)/,
  );
  await expect(openCachePlace(undefined, "measurements", key)).rejects.toMatchObject({
    code: "CACHE_UNWRITABLE",
  });
});

test("nothing is added of what does not hold any more", async () => {
  const folder = temporaryFolder();
  const place = await openCachePlace(folder, "measurements", key);
  const kept = await openKeptValues(place, () => Promise.reject(new Error("it has changed")));
  await expect(kept.add("x", 1)).rejects.toThrow("it has changed");
  expect(kept.get("x")).toBeUndefined();
  expect((await open(folder)).get("x")).toBeUndefined();
});
