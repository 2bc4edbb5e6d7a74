import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeModel } from "../../src/api/stages/describe.ts";
import { describeRepair } from "../../src/cli/text/repair.ts";
import { apply, plan } from "../../src/index.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
process.env.XDG_CACHE_HOME = folder;
const { summary } = await describeModel(EXAMPLE_MODEL);
// Near the beginning, so that few layers are run of all that text.
const removal = plan({ schemaVersion: 1, model: summary, similarity: [] }, { layers: "2-3" });
// Short sequences, for which most prompts are too long, so that little is written.
const own = { gpu: "off", threads: 1, sequenceLength: 40, cache: true } as const;

/** Groups of prompts whose continuations are kept. */
function kept(): number {
  const cache = join(folder, "lorp", "measurements");
  return readdirSync(cache).flatMap(
    (name) => readFileSync(join(cache, name), "utf8").match(/^\["text of/gm) ?? [],
  ).length;
}

test("without a text maps are fitted on the model's own words too, and again from the plan", async () => {
  const output = join(folder, "own.gguf");
  const { repair } = await apply(EXAMPLE_MODEL, removal, { ...own, repair: "bridge", output });
  const { kind, calibration, tokens, sampled } = repair!;
  expect([kind, calibration.name]).toEqual(["bridge", "default and prose"]);
  expect(sampled).toBeGreaterThan(100);
  expect(sampled).toBeLessThan(tokens / 2);
  const groups = kept();
  expect(groups).toBeGreaterThan(1);
  expect(describeRepair(repair!)).toMatch(`${sampled} of them the model's own words`);
  // On another machine the model may have written a little more.
  const elsewhere = { ...removal, repair: { ...repair!, tokens: tokens + 3, sampled: sampled! + 3 } };
  const again = join(folder, "again.gguf");
  await apply(EXAMPLE_MODEL, elsewhere, { ...own, output: again });
  expect(readFileSync(again).equals(readFileSync(output))).toBe(true);
  expect(kept()).toBe(groups);
  const shorter = { ...removal, repair: { ...repair!, tokens: tokens - 3 } };
  await expect(apply(EXAMPLE_MODEL, shorter, { ...own, output: again, force: true })).rejects.toMatchObject({
    code: "REPAIR_OTHER_TEXT",
  });
}, 480_000);
