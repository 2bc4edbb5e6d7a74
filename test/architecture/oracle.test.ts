import { beforeAll, describe, expect, test } from "vitest";
import { openRuntime } from "../../src/model/runtime.ts";
import { architectureTable } from "../support/architecture-table.ts";
import { FIXTURE_NAMES } from "../support/architectures.ts";
import { temporaryFolder } from "../support/folder.ts";
import { errorWithout, judge, type Verdict } from "../support/oracle.ts";

/**
 * The logits of the pruned file are those of the original with the same blocks skipped, for tiny random models of
 * every architecture: metadata arrays mixed, several periods, sequences longer than the sliding window.
 */
describe("the oracle", () => {
  const folder = temporaryFolder();
  const verdicts: Verdict[] = [];

  beforeAll(async () => {
    await openRuntime("off");
  });

  test.for(FIXTURE_NAMES)("%s", async (fixture) => {
    const verdict = await judge(fixture, folder, 2);
    verdicts.push(verdict);
    for (const { error, effect } of verdict.cuts ?? []) {
      expect(error).toBeLessThan(1e-6);
      // Blocks that do nothing would prove nothing.
      expect(effect).toBeGreaterThan(1e-3);
    }
    expect(verdict.refusal === undefined).toBe(verdict.analysed === true);
    expect(verdict.resumption ?? 0).toBe(0);
    expect(verdict.inputError ?? 0).toBeLessThan(1e-3);
  });

  test.for([
    ["gemma2", "gemma2.attention.sliding_window_pattern"],
    ["gemma3-period", "gemma3.attention.sliding_window_pattern"],
    ["qwen3next", "qwen3next.attention.recurrent_layers"],
    ["deepseek", "deepseek.leading_dense_block_count"],
    ["minicpm-default", "minicpm.residual_scale"],
    ["glm-dsa-default", "glm-dsa.attention.indexer.types"],
  ] as const)("%s would be another model without %s", async ([fixture, key]) => {
    expect(await errorWithout(fixture, folder, key)).toBeGreaterThan(1e-6);
  });

  test("docs/architectures.md says what this run has shown", async () => {
    await expect(architectureTable(verdicts)).toMatchFileSnapshot("../../docs/architectures.md");
  });
});
