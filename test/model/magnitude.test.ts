import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { largestMagnitude, largestStored } from "../../src/model/magnitude.ts";
import { temporaryFolder } from "../support/folder.ts";
import { randomNumbers } from "../support/gguf.ts";

const path = join(temporaryFolder(), "values.bin");
const [F32, BF16] = [0, 30];
const neverAsked = () => {
  throw new Error("it needs no copy");
};

test("the largest magnitude is that of a number, whatever its sign", () => {
  expect(largestMagnitude(Float32Array.of(1, -3, 2, Number.NaN, Number.NEGATIVE_INFINITY))).toBe(3);
  expect(largestMagnitude(Float32Array.of())).toBe(0);
});

test.each([
  ["F32", F32, 4],
  ["BF16", BF16, 2],
])("the largest of a file's %s values is found wherever it is", async (_, type, width) => {
  const random = randomNumbers(7);
  const count = 2 ** 20 + 100;
  const values = Float32Array.from({ length: count }, () => random() - 0.5);
  values[5] = Number.POSITIVE_INFINITY;
  values[6] = Number.NaN;
  for (const at of [0, count - 1]) {
    const placed = values.slice();
    placed[at] = -(2 ** 40);
    // BF16 is the upper half of F32.
    const halves = new Uint16Array(placed.buffer);
    const bytes = width === 4 ? placed : halves.filter((_, index) => index % 2 === 1);
    writeFileSync(path, Buffer.concat([Buffer.alloc(64), Buffer.from(bytes.buffer, 0, count * width)]));
    const stored = { path, offset: 64, byteLength: count * width, type };
    expect(await largestStored(stored, neverAsked)).toBe(2 ** 40);
  }
});
