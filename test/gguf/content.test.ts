import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { contentDigest } from "../../src/gguf/content.ts";
import { fingerprint } from "../../src/gguf/fingerprint.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { buildGguf, temporaryFolder, writeInto } from "../support/gguf.ts";

test("tells models apart that differ in the middle of a tensor, and is the file's SHA-256", async () => {
  const folder = temporaryFolder();
  const write = (name: string, value: number) => {
    const data = new Uint8Array(40_000);
    data[20_000] = value;
    return writeInto(folder, name, buildGguf({ tensors: [{ name: "a", shape: [10_000], data }] }));
  };
  const [one, other] = [await readGguf(write("one.gguf", 1)), await readGguf(write("other.gguf", 2))];
  expect(await fingerprint(one)).toBe(await fingerprint(other));
  expect(await contentDigest(one)).not.toBe(await contentDigest(other));
  const [path] = one.paths;
  expect(await contentDigest(one)).toBe(createHash("sha256").update(readFileSync(path!)).digest("hex"));
  await expect(contentDigest(one, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
});
