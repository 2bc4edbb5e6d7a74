import { join } from "node:path";
import { expect, test } from "vitest";
import { prune } from "../../src/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { logitsOf, normalisedError } from "../support/logits.ts";
import { sharedPath } from "../support/shared.ts";

const folder = temporaryFolder();
const quick = { gpu: "off", threads: 1, sequences: 2, sequenceLength: 64, samples: false } as const;
const TOKENS = Int32Array.from({ length: 100 }, (_, i) => (i * 37 + 11) % 4096);

const f16 = sharedPath("models", "books-20l-f16.gguf");
test.skipIf(!f16).each([["3"], ["1-4,9"], ["0,7,19"], ["1-18"]])(
  "F16 without layers %s computes what the original computes with them skipped",
  async (layers) => {
    const output = join(folder, `f16-${layers}.gguf`);
    const report = await prune(f16!, { ...quick, layers, output });
    const expected = await logitsOf(f16!, TOKENS, { skip: report.plan.removedLayers });
    expect(normalisedError(expected, await logitsOf(output, TOKENS))).toBeLessThan(1e-9);
  },
);
