import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { captureSimilarity, meanSimilarity, type SequenceSums } from "../../src/analysis/capture.ts";
import type { Session } from "../../src/model/session.ts";
import { randomNumbers } from "../support/gguf.ts";

const LAYERS = 5;

const sessionOf = (sumCosines: Session["sumCosines"]) => ({ sumCosines }) as Session;

/** Lanes whose sums follow from the tokens, and which take their time. */
function fakeLanes(count: number, delay: () => number = () => 0) {
  const started: number[] = [];
  const session = sessionOf(async (tokens) => {
    started.push(tokens[0]!);
    await sleep(delay());
    const random = randomNumbers(tokens[0]!);
    return Float64Array.from({ length: LAYERS ** 2 }, () => tokens.length * (2 * random() - 1));
  });
  return { count, started, run: <Result>(work: (lane: Session) => Promise<Result>) => work(session) };
}

const sequences = Array.from({ length: 9 }, (_, i) => new Int32Array(4 + (i % 3)).fill(i + 1));

describe("captureSimilarity", () => {
  test("is the mean of the sums over all tokens, whatever their sequence", async () => {
    const { similarity, measured, tokens } = await captureSimilarity(fakeLanes(2), sequences);
    expect(tokens).toBe(sequences.reduce((sum, { length }) => sum + length, 0));
    for (let i = 0; i < LAYERS; i++) {
      for (let j = 0; j < LAYERS; j++) {
        const entry = Math.min(i, j) * LAYERS + Math.max(i, j);
        const mean = measured.reduce((sum, { sums }) => sum + sums[entry]!, 0) / tokens;
        expect(similarity[i]![j]).toBeCloseTo(i === j ? 1 : mean, 12);
      }
    }
  });

  test("gives the same bits with any number of lanes, however they get on", async () => {
    const { similarity } = await captureSimilarity(fakeLanes(1), sequences);
    for (const count of [2, 3, 4]) {
      const random = randomNumbers(count);
      const lanes = fakeLanes(count, () => 5 * random());
      expect((await captureSimilarity(lanes, sequences)).similarity).toEqual(similarity);
    }
  });

  test("goes on from what was measured before, with the same bits and hearing the same", async () => {
    const heard: number[] = [];
    const onSequence = (measured: readonly SequenceSums[]) => {
      heard.push(measured.length);
      return false;
    };
    const whole = await captureSimilarity(fakeLanes(2), sequences, { onSequence });
    const heardInOneGo = heard.splice(0);
    for (let before = 0; before <= sequences.length; before++) {
      const lanes = fakeLanes(2);
      const earlier = whole.measured.slice(0, before);
      const { similarity } = await captureSimilarity(lanes, sequences, { earlier, onSequence });
      expect(similarity).toEqual(whole.similarity);
      expect(lanes.started).toEqual(sequences.slice(before).map(([first]) => first));
      expect(heard.splice(0)).toEqual(heardInOneGo);
    }
  });

  test("ends where it is told to, whatever has been measured beyond", async () => {
    const whole = await captureSimilarity(fakeLanes(1), sequences);
    for (const earlier of [[], whole.measured]) {
      const onSequence = (measured: readonly SequenceSums[]) => measured.length === 4;
      const { similarity, measured } = await captureSimilarity(fakeLanes(3), sequences, {
        earlier,
        onSequence,
      });
      expect(measured.length).toBe(4);
      expect(similarity).toEqual(meanSimilarity(whole.measured.slice(0, 4)));
    }
  });

  test("fails with the first sequence that fails", async () => {
    const lanes = {
      count: 3,
      run: <Result>(work: (lane: Session) => Promise<Result>) =>
        work(sessionOf((tokens) => Promise.reject(new Error(`sequence ${tokens[0]}`)))),
    };
    await expect(captureSimilarity(lanes, sequences)).rejects.toThrow("sequence 1");
  });
});
