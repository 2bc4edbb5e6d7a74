import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { prune } from "../../src/index.ts";
import { buildFixture } from "../support/architectures.ts";
import { temporaryFolder } from "../support/folder.ts";
import { logitsOf, normalisedError } from "../support/logits.ts";

const folder = temporaryFolder();
const quick = { gpu: "off", threads: 1, sequences: 4, sequenceLength: 32, samples: false } as const;
const TOKENS = Int32Array.from({ length: 40 }, (_, i) => 3 + ((i * 37) % 90));

test("prune drops what predicts tokens ahead when it is asked to, and the rest computes the same", async () => {
  const path = join(folder, "mtp.gguf");
  writeFileSync(path, buildFixture("bailingmoe2-mtp"));
  const output = join(folder, "without.gguf");
  const { plan } = await prune(path, { ...quick, remove: 2, dropMtp: true, output });
  expect(plan.method).toBe("auto");
  expect(plan.removedLayers).toHaveLength(3);
  expect(plan.removedLayers.at(-1)).toBe(11);
  const { metadata, tensors } = await readGguf(output);
  const number = (key: string) => metadata.get(`bailingmoe2.${key}`)?.decode().value;
  expect([number("block_count"), number("nextn_predict_layers")]).toEqual([9, 0]);
  expect(tensors.filter(({ name }) => name.includes("nextn"))).toEqual([]);
  const expected = await logitsOf(path, TOKENS, { skip: plan.removedLayers.slice(0, -1) });
  expect(normalisedError(expected, await logitsOf(output, TOKENS))).toBeLessThan(1e-9);
});
