import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeModel } from "../../src/api/stages/describe.ts";
import { cutSequences } from "../../src/calibration/sequences.ts";
import { RuntimeError } from "../../src/model/errors.ts";
import { type Model, openModel } from "../../src/model/model.ts";
import type { Attempt } from "../../src/repair/attempt.ts";
import { refitBehind } from "../../src/repair/behind.ts";
import { mendGap } from "../../src/repair/fit.ts";
import { behindLast, gapsOf } from "../../src/repair/gaps.ts";
import type { Trial } from "../../src/repair/repair.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

const described = await describeModel(EXAMPLE_MODEL);
const { file, architecture } = described;
const gaps = gapsOf([8, 9]);
const behind = behindLast(gaps, architecture.analysedBlocks)!;
let model: Model;
beforeAll(async () => {
  model = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
});
afterAll(() => model.close());

const before = [0.5, 0.5, 0.5, 0.5];
const attempt: Attempt = {
  kind: "bridge",
  mended: [],
  divergences: before,
  tried: { kind: "bridge", gaps: [], divergence: 0.5, standardError: null },
};

/** What becomes of the attempt where every map behind it leaves these divergences, and how many sequences were run. */
async function refitted(
  left: readonly number[],
  mend: Trial["mend"] = mendGap,
): Promise<{ result: Attempt; run: number }> {
  const open = () => model.openSession({ sequenceLength: 16, states: architecture.states });
  const [session, original] = [open(), open()];
  const text = await model.tokenize(readFileSync("calibration/default.txt", "utf8").slice(0, 4000));
  const calibration = cutSequences(text, { sequenceLength: 16, sequences: 40 });
  let run = 0;
  const onSequence = () => void run++;
  const removal = { model, file, removed: [8, 9], session, original, calibration, onSequence };
  const judge: Trial["judge"] = async (_, share) => left.slice(0, Math.round(share * left.length));
  const result = await refitBehind(attempt, behind, {
    broken: described,
    removal,
    gaps,
    judge,
    before,
    mend,
  });
  session.close();
  original.close();
  return { result, run };
}

test("some of the text tells whether the layer behind is worth refitting", async () => {
  const { result, run } = await refitted([0.498, 0.4, 0.4, 0.4]);
  expect([result, run]).toEqual([attempt, 32]);
});

test("what helps by more than its standard error is added to the attempt", async () => {
  const { result, run } = await refitted([0.4, 0.41, 0.39, 0.42]);
  expect(run).toBe(40);
  expect(result.tried.gaps).toMatchObject([{ after: 10, behind: true, divergence: expect.closeTo(0.405) }]);
  expect(result.tried.divergence).toBe(result.tried.gaps[0]!.divergence);
  expect(result.mended).toHaveLength(1);
  result.mended[0]!.repair.close();
  // It helps where it was tried, and elsewhere it may do harm.
  const doubtful = await refitted([0.4, 0.7, 0.2, 0.8]);
  expect([doubtful.result, doubtful.run]).toEqual([attempt, 40]);
});

test("equations without a solution leave the attempt as it is, any other failure ends it", async () => {
  const failing = (code: "REPAIR_SINGULAR" | "RUNTIME_NAN") =>
    refitted([0.4, 0.4, 0.4, 0.4], () => Promise.reject(new RuntimeError(code, "no solution")));
  expect((await failing("REPAIR_SINGULAR")).result).toBe(attempt);
  await expect(failing("RUNTIME_NAN")).rejects.toMatchObject({ code: "RUNTIME_NAN" });
});
