import { describe, expect, test } from "vitest";
import { analyze, apply, compare, evaluate, type Plan, prune } from "../../src/index.ts";

const NOWHERE = "no-such-model.gguf";
const plan = {} as Plan;

/** The model is not there: what is refused, is refused before it is looked for. */
describe.each([
  ["analyze", (options: object) => analyze(NOWHERE, options)],
  ["prune", (options: object) => prune(NOWHERE, { remove: 1, ...options })],
  ["compare", (options: object) => compare(NOWHERE, { remove: [1], ...options })],
  ["evaluate", (options: object) => evaluate(NOWHERE, options)],
  ["apply", (options: object) => apply(NOWHERE, plan, options)],
])("%s", (_, work) => {
  test.each([
    { threads: 0 },
    { threads: 513 },
    { threads: 1.5 },
    { gpuLayers: -1 },
    { maxMemory: Number.NaN },
    { sequenceLength: 1 },
    { sequences: 0 },
  ])("refuses %o", async (options) => {
    const [[name, value]] = Object.entries(options) as [[string, number]];
    await expect(work(options)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringMatching(new RegExp(`^${name} is ${value}, but must be a whole number`)),
    });
  });

  test("takes what can be meant", async () => {
    const options = { threads: 512, gpuLayers: 0, maxMemory: 1, sequenceLength: 2, sequences: 1 };
    await expect(work(options)).rejects.toMatchObject({ code: "GGUF_UNREADABLE" });
  });
});
