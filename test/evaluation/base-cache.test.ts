import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { type BaseCache, type CacheKey, openBaseCache } from "../../src/evaluation/base-cache.ts";
import { OWNER } from "../../src/files/owner.ts";
import { MAIN } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const [PLACE] = OWNER.split("-");

const parent = temporaryFolder();
const empty = () => mkdtempSync(join(parent, "cache-"));

// Two windows of four tokens, three of which are scored, and eight logits each.
const windows = { sequences: [Int32Array.of(1, 2, 3, 4), Int32Array.of(5, 6, 7, 0)], first: 1 };
const key: CacheKey = {
  model: "some model",
  vocabularySize: 8,
  texts: [{ name: "a", sha256: "", sequenceLength: 4, windows, bytes: 6 }],
};
const LOGITS = 2 * 3 * 8 * 4;
const record = async ({ places }: BaseCache) => appendFileSync(places[0]!.path, Buffer.alloc(LOGITS));

test("what was kept is used again", async () => {
  const path = join(empty(), "base.logits");
  const made = await openBaseCache(path, key, record);
  expect(made.places).toEqual([{ path, offset: 128, append: false, rowBytes: 32 }]);
  const again = vi.fn(record);
  expect(await openBaseCache(path, key, again)).toEqual(made);
  expect(again).not.toHaveBeenCalled();
});

test.each([
  ["cut short", (path: string) => truncateSync(path, 128 + LOGITS - 1)],
  ["too long", (path: string) => appendFileSync(path, "x")],
])("a file that is %s is refused by its size", async (_, damage) => {
  const path = join(empty(), "base.logits");
  await openBaseCache(path, key, record);
  damage(path);
  await expect(openBaseCache(path, key, record)).rejects.toMatchObject({
    code: "EVALUATION_CACHE",
    message: expect.stringMatching(/should have 320/),
  });
});

test("the unfinished file of a killed run is cleared away by the next, and a failed run leaves none", async () => {
  const folder = empty();
  const path = join(folder, "base.logits");
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  const leftover = join(folder, `.base.logits.lorp-${PLACE}-${pid}-0123456789ab.tmp`);
  writeFileSync(leftover, "unfinished");
  const failing = async () => {
    // Unfinished files have the one kind of name that a later run can tell its owner from.
    expect(readdirSync(folder)).toEqual([
      expect.stringMatching(new RegExp(`^\\.base\\.logits\\.lorp-${OWNER}-[0-9a-f]{12}\\.tmp$`)),
    ]);
    throw new Error("stopped");
  };
  await expect(openBaseCache(path, key, failing)).rejects.toThrow("stopped");
  expect(existsSync(leftover)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

test.skipIf(process.platform === "win32")("why it cannot be written is said, and nothing is left", () => {
  const folder = empty();
  const path = join(folder, "base.logits");
  const limited = 'ulimit -f 100; exec "$0" "$@"';
  const short = ["--sequences", "1", "--sequence-length", "64", "--gpu", "off"];
  const words = [MAIN, "eval", EXAMPLE_MODEL, "--against", EXAMPLE_MODEL, "--base-cache", path, ...short];
  const { status, stderr } = spawnSync("bash", ["-c", limited, process.execPath, ...words]);
  expect([status, String(stderr)]).toEqual([
    1,
    expect.stringMatching(/base\.logits cannot be used \(it cannot be written, EFBIG\)/),
  ]);
  expect(readdirSync(folder)).toEqual([]);
});
