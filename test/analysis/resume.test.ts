import { beforeEach, expect, test } from "vitest";
import { analyze } from "../../src/index.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { randomNumbers, temporaryFolder } from "../support/gguf.ts";

beforeEach(() => {
  process.env.XDG_CACHE_HOME = temporaryFolder();
});

const settings = { gpu: "off", sequenceLength: 64, sequences: 14, cache: true } as const;

/** An Analysis that is interrupted and gone on with until it gets through. */
async function analyzeWithInterruptions(moments: readonly number[]) {
  let interruptions = 0;
  for (const moment of [...moments, Number.POSITIVE_INFINITY]) {
    const controller = new AbortController();
    let heard = 0;
    const onProgress = () => {
      if (++heard === Math.floor(moment)) setTimeout(() => controller.abort(), 20 * (moment % 1));
    };
    try {
      const { signal } = controller;
      const analysis = await analyze(EXAMPLE_MODEL, { ...settings, resume: true, signal, onProgress });
      return { analysis, interruptions };
    } catch (error) {
      expect(error).toMatchObject({ code: "ABORTED", message: expect.stringContaining("`resume`") });
      interruptions++;
    }
  }
  throw new Error("the last run was not interrupted");
}

test("interrupted at random moments and resumed, the Analysis is the same to the last bit", async () => {
  const whole = await analyze(EXAMPLE_MODEL, { ...settings, cache: false });
  const random = randomNumbers(17);
  let interruptions = 0;
  for (let run = 0; run < 5; run++) {
    process.env.XDG_CACHE_HOME = temporaryFolder();
    const resumed = await analyzeWithInterruptions([1 + 6 * random(), 1 + 12 * random()]);
    expect(resumed.analysis).toEqual(whole);
    interruptions += resumed.interruptions;
  }
  expect(interruptions).toBeGreaterThanOrEqual(5);
});

test("with what an earlier run kept the Analysis is the same as without, for whatever number of layers", async () => {
  const adaptive = { gpu: "off", sequenceLength: 64, cache: true } as const;
  const first = await analyze(EXAMPLE_MODEL, { ...adaptive, remove: 4 });
  const again = await analyze(EXAMPLE_MODEL, { ...adaptive, remove: 4 });
  expect(again).toEqual(first);
  const fresh = await analyze(EXAMPLE_MODEL, { ...adaptive, remove: 6, cache: false });
  expect(await analyze(EXAMPLE_MODEL, { ...adaptive, remove: 6 })).toEqual(fresh);
});
