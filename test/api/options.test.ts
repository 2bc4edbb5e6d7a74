import { describe, expect, test } from "vitest";
import { analyze, apply, compare, diff, evaluate, inspect, type Plan, plan, prune } from "../../src/index.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

const NOWHERE = "no-such-model.gguf";
const none = {} as Plan;

/** The model is not there: what is refused, is refused before it is looked for. */
describe.each([
  ["analyze", (options: object) => analyze(NOWHERE, options)],
  ["prune", (options: object) => prune(NOWHERE, { remove: 1, ...options })],
  ["compare", (options: object) => compare(NOWHERE, { remove: [1], ...options })],
  ["evaluate", (options: object) => evaluate(NOWHERE, options)],
  ["apply", (options: object) => apply(NOWHERE, none, options)],
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
      message: expect.stringMatching(new RegExp(`^\`${name}\` is ${value}, but must be a whole number`)),
    });
  });

  test.each(["sequense", "json", "config"])("refuses the unknown option %s", async (name) => {
    await expect(work({ [name]: 1 })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringMatching(
        new RegExp(`^There is no option \`${name}\` here: there are .*\\bgpu, `),
      ),
    });
    await expect(work({ [name]: undefined })).rejects.toMatchObject({ code: "GGUF_UNREADABLE" });
  });

  test.each([{ gpu: "fast" }, { resume: true }])("refuses %o", async (options) => {
    await expect(work(options)).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  test("takes what can be meant", async () => {
    const options = { threads: 512, gpuLayers: 0, maxMemory: 1, sequenceLength: 2, sequences: 1 };
    await expect(work(options)).rejects.toMatchObject({ code: "GGUF_UNREADABLE" });
  });
});

test.each([
  [() => evaluate(NOWHERE, { protocol: "foo" as never }), /^`protocol` is foo, but must be one of windows, /],
  [
    () => prune(NOWHERE, { remove: 1, repair: "foo" as never }),
    /^`repair` is foo, but must be one of auto, off, /,
  ],
])("refuses a name that is none of an option's", async (work, message) => {
  await expect(work()).rejects.toThrow(message);
});

test("a target size goes neither with quantisation nor with a file that is small enough", async () => {
  const work = prune(NOWHERE, { targetSize: 1e9, quantize: "Q4_K_M" });
  await expect(work).rejects.toThrow("`targetSize` is about the file before `quantize`");
  const options = { gpu: "off", threads: 1, sequences: 2, sequenceLength: 32, dryRun: true } as const;
  await expect(prune(EXAMPLE_MODEL, { ...options, targetSize: 1e9 })).rejects.toThrow(
    /takes \d+ bytes as it is/,
  );
});

test("a plan whose layers do not add up is refused", async () => {
  const analysis = { schemaVersion: 1, model: { blockCount: 20 }, similarity: [] } as const;
  const whole = plan(analysis, { layers: "4" });
  for (const keptLayers of [[0, 1], [...whole.keptLayers, 4], whole.keptLayers.with(4, 4)]) {
    await expect(apply(EXAMPLE_MODEL, { ...whole, keptLayers })).rejects.toMatchObject({
      code: "DOCUMENT_INVALID",
    });
  }
  expect(plan(analysis, { layers: "4", method: "auto" })).toEqual(whole);
  expect(plan(analysis, { layers: [4] })).toEqual(whole);
  expect(() => plan(analysis, { layers: "4", method: "nosuch" })).toThrow(/nosuch/);
});

test("functions without a model to run refuse unknown options too", async () => {
  const analysis = { schemaVersion: 1, model: { blockCount: 20 }, similarity: [] } as const;
  const wrong = { sequences: 1 } as object;
  expect(() => plan(analysis, { layers: "4", ...wrong })).toThrow("There is no option `sequences` here");
  await expect(inspect(NOWHERE, wrong)).rejects.toThrow(
    "There is no option `sequences` here: there are signal.",
  );
  await expect(diff(NOWHERE, NOWHERE, wrong)).rejects.toThrow("there are onProgress, signal.");
});

test.each([
  ["analyze", analyze],
  ["prune", (path: string, options: object) => prune(path, { remove: 1, ...options })],
])("%s refuses more clusters than layers before the model is opened", async (_, work) => {
  const notices: string[] = [];
  const onNotice = (sentence: string) => notices.push(sentence);
  await expect(work(EXAMPLE_MODEL, { clusters: 21, onNotice })).rejects.toThrow(
    "20 layers cannot be divided into 21 clusters: ask for a number between 1 and 20.",
  );
  expect(notices).toEqual([]);
});
