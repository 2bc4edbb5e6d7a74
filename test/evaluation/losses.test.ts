import { expect, test } from "vitest";
import { describeModel } from "../../src/api/stages/describe.ts";
import { loadCalibration } from "../../src/calibration/load.ts";
import { dealSequences } from "../../src/calibration/sequences.ts";
import { divergences } from "../../src/evaluation/losses.ts";
import { firstScored } from "../../src/evaluation/windows.ts";
import { openModel } from "../../src/model/model.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

test("divergences from the original's most probable tokens are those from its whole distributions, within a twentieth", async () => {
  const { architecture } = await describeModel(EXAMPLE_MODEL);
  const model = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
  const context = { sequenceLength: 64, states: architecture.states, scores: true };
  const [lanes, other] = [model.openLanes({ ...context, independentBlocks: true }), model.openLanes(context)];
  try {
    const { bos, vocabularySize } = model.info;
    const tokens = await model.tokenize((await loadCalibration()).text);
    const { report } = dealSequences(tokens, { sequenceLength: 64, sequences: 4, bos });
    const first = firstScored(bos);
    const source = divergences(lanes, { sequences: report, first }, vocabularySize);
    for (const skip of [[9], [4, 5, 13], [2, 6, 10, 14, 18]]) {
      const kept = await source.losses(skip, 0);
      const whole = await lanes.run((session) =>
        other.run((base) => session.score(report[0]!, { first, skip, base: { session: base } })),
      );
      const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
      expect(kept).toHaveLength(64 - first);
      expect(sum(kept)).toBeLessThanOrEqual(sum(whole.kl) * 1.0001);
      expect(sum(kept)).toBeGreaterThan(sum(whole.kl) * 0.95);
    }
  } finally {
    other.close();
    lanes.close();
    model.close();
  }
});
