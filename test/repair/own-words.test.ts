import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeModel } from "../../src/api/stages/describe.ts";
import { describeRepair } from "../../src/cli/text/repair.ts";
import { apply, plan } from "../../src/index.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const { summary } = await describeModel(EXAMPLE_MODEL);
const removal = plan({ schemaVersion: 1, model: summary, similarity: [] }, { layers: "8-11" });
// Short sequences, for which most prompts are too long, so that little is written.
const own = { gpu: "off", threads: 2, sequenceLength: 40 } as const;

test("without a text maps are fitted on the model's own words too, and again from the plan", async () => {
  const output = join(folder, "own.gguf");
  const { repair } = await apply(EXAMPLE_MODEL, removal, { ...own, repair: "bridge", output });
  const { kind, calibration, tokens, sampled } = repair!;
  expect([kind, calibration.name]).toEqual(["bridge", "default and prose"]);
  expect(sampled).toBeGreaterThan(100);
  expect(sampled).toBeLessThan(tokens / 2);
  expect(describeRepair(repair!)).toMatch(`${sampled} of them the model's own words`);
  // On another machine the model may have written a little more.
  const elsewhere = { ...removal, repair: { ...repair!, tokens: tokens + 3, sampled: sampled! + 3 } };
  const again = join(folder, "again.gguf");
  await apply(EXAMPLE_MODEL, elsewhere, { ...own, output: again });
  expect(readFileSync(again).equals(readFileSync(output))).toBe(true);
  const shorter = { ...removal, repair: { ...repair!, tokens: tokens - 3 } };
  await expect(apply(EXAMPLE_MODEL, shorter, { ...own, output: again, force: true })).rejects.toMatchObject({
    code: "REPAIR_OTHER_TEXT",
  });
}, 240_000);
