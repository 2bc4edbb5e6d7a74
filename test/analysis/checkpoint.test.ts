import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCheckpoint, writeCheckpoint } from "../../src/analysis/checkpoint.ts";
import { randomNumbers, temporaryFolder } from "../support/gguf.ts";

test("reads back every bit that was written", async () => {
  const random = randomNumbers(3);
  const bits = () => Math.floor(random() * 2 ** 32);
  const anything = new Float64Array(Uint32Array.from({ length: 2 * 9 }, bits).buffer);
  const special = Float64Array.of(0, -0, 1 / 3, 5e-324, Number.MAX_VALUE, -1e-300, 2 ** 53 + 2, 0.1, -0.2);
  const path = join(temporaryFolder(), "checkpoint.json");
  const measured = [anything, special].map((sums, i) => ({ sums, tokens: 512 - i }));
  await writeCheckpoint(path, measured);
  const read = await readCheckpoint(path);
  expect(read.map(({ tokens }) => tokens)).toEqual([512, 511]);
  for (const [i, { sums }] of read.entries()) {
    expect(new Uint8Array(sums.buffer)).toEqual(new Uint8Array(measured[i]!.sums.buffer));
  }
});

test("no file is nothing measured", async () => {
  expect(await readCheckpoint(join(temporaryFolder(), "none.json"))).toEqual([]);
});

test.each([
  ["cut off", (text: string) => text.slice(0, -9)],
  ["of another form", (text: string) => text.replace('"form":1', '"form":2')],
  ["not an object", () => "null"],
  ["of sequences without sums", (text: string) => text.replaceAll("sums", "sum")],
  ["of unequal sizes", (text: string) => text.replace(/"sums":"[^"]*"/, '"sums":"AAAAAAAAAAA="')],
  ["of no tokens", (text: string) => text.replace('"tokens":4', '"tokens":0')],
])("a file that is %s is refused", async (_, damage) => {
  const path = join(temporaryFolder(), "checkpoint.json");
  const sums = Float64Array.of(1, 2, 3, 4);
  await writeCheckpoint(path, [
    { sums, tokens: 4 },
    { sums, tokens: 4 },
  ]);
  writeFileSync(path, damage(readFileSync(path, "utf8")));
  await expect(readCheckpoint(path)).rejects.toMatchObject({
    code: "CHECKPOINT_INVALID",
    message: expect.stringContaining(path),
  });
});
