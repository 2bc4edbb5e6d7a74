import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { divergenceOf } from "../../src/evaluation/divergence.ts";
import { bitsPerByte, perplexityOf } from "../../src/evaluation/perplexity.ts";
import { scoredBytes, scoreWindows } from "../../src/evaluation/scores.ts";
import { cutWindows, PROTOCOLS, type Windows } from "../../src/evaluation/windows.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { Lanes } from "../../src/model/lanes.ts";
import { openModel } from "../../src/model/model.ts";
import type { Session } from "../../src/model/session.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { type OpenedExample, oneLane, openOnCpu } from "../support/example-session.ts";

const LENGTH = 112;
const SKIP = [4, 13];
const text = readFileSync(new URL("../../calibration/default.txt", import.meta.url), "utf8");

let example: OpenedExample;
let session: Session;
let other: Session;
let lane: Lanes;
let base: Lanes;
let tokens: Int32Array;

beforeAll(async () => {
  example = await openOnCpu(EXAMPLE_MODEL);
  session = example.openSession(LENGTH);
  other = example.openSession(LENGTH);
  lane = oneLane(session);
  base = oneLane(other);
  tokens = await example.model.tokenize(text);
});
afterAll(() => example.close());

/** Log-softmax of one row in double precision, by the definition. */
function logSoftmax(logits: Float32Array, position: number): Float64Array {
  const size = example.model.info.vocabularySize;
  const row = Float64Array.from(logits.subarray(position * size, (position + 1) * size));
  const top = Math.max(...row);
  const normalizer = top + Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
  return row.map((value) => value - normalizer);
}

interface BruteForce {
  readonly logProb: number[];
  readonly kl: number[];
  readonly sameTop: boolean[];
}

/** From all logits of both models at once, what scoring reduces on the way. */
async function bruteForce({ sequences, first }: Windows): Promise<BruteForce> {
  const result: BruteForce = { logProb: [], kl: [], sameTop: [] };
  for (const window of sequences) {
    const [mine, its] = [await session.logits(window, SKIP), await other.logits(window)];
    for (let target = first; target < window.length; target++) {
      const [q, p] = [logSoftmax(mine, target - 1), logSoftmax(its, target - 1)];
      result.logProb.push(q[window[target]!]!);
      result.kl.push(p.reduce((sum, value, token) => sum + Math.exp(value) * (value - q[token]!), 0));
      result.sameTop.push(p.indexOf(Math.max(...p)) === q.indexOf(Math.max(...q)));
    }
  }
  return result;
}

describe.each(PROTOCOLS)("scores by the protocol %s", (protocol) => {
  let windows: Windows;
  let expected: BruteForce;

  beforeAll(async () => {
    const bos = example.model.info.bos;
    windows = cutWindows(tokens, { sequenceLength: LENGTH, sequences: 2, protocol, bos });
    expected = await bruteForce(windows);
  });

  test("perplexity, divergence and agreement are those of the raw logits", async () => {
    const scores = await scoreWindows(lane, windows, { skip: SKIP, base });
    const n = expected.logProb.length;
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / n;
    const nll = -mean(expected.logProb);

    const { perplexity, standardError, tokens: scored } = perplexityOf(scores.logProb);
    expect(scored).toBe(n);
    expect(perplexity / Math.exp(nll)).toBeCloseTo(1, 6);
    const variance = mean(expected.logProb.map((value) => (value + nll) ** 2)) / (n - 1);
    expect(standardError).toBeCloseTo(Math.exp(nll) * Math.sqrt(variance), 4);

    const { klDivergence, topAgreement } = divergenceOf(scores);
    expect(klDivergence.mean).toBeCloseTo(mean(expected.kl), 6);
    expect(klDivergence.maximum).toBeCloseTo(Math.max(...expected.kl), 5);
    const ascending = expected.kl.toSorted((a, b) => a - b);
    const middle = (ascending[Math.ceil(n / 2) - 1]! + ascending[Math.floor(n / 2)]!) / 2;
    expect(klDivergence.median).toBeCloseTo(middle, 6);
    expect(topAgreement).toBe(mean(expected.sameTop.map(Number)));
  });

  test("the base's own scores are those of the base alone", async () => {
    const { baseLogProb } = await scoreWindows(lane, windows, { skip: SKIP, base });
    expect(baseLogProb).toEqual((await scoreWindows(base, windows)).logProb);
  });
});

test("windows scored side by side give what they give one after the other, in their order", async () => {
  const sequences = Array.from({ length: 7 }, (_, i) => tokens.slice(200 * i, 200 * i + LENGTH - 9 * i));
  const inTurn = await scoreWindows(lane, { sequences, first: 2 }, { skip: SKIP, base });
  const { states } = describeArchitecture(await readGguf(EXAMPLE_MODEL));
  const model = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 2 });
  const options = { sequenceLength: LENGTH, microBatch: 48, states, scores: true };
  const [lanes, others] = [model.openLanes(options), model.openLanes(options)];
  try {
    expect(lanes.count).toBe(2);
    const done: number[] = [];
    const onProgress = (count: number) => done.push(count);
    const together = await scoreWindows(
      lanes,
      { sequences, first: 2 },
      { skip: SKIP, base: others, onProgress },
    );
    expect(together).toEqual(inTurn);
    expect(done.at(-1)).toBe(sequences.reduce((sum, { length }) => sum + length, 0));
  } finally {
    lanes.close();
    others.close();
    model.close();
  }
});

test("a model does not differ from itself", async () => {
  const windows = cutWindows(tokens, { sequenceLength: 64, sequences: 1, protocol: "windows", bos: -1 });
  const { klDivergence, topAgreement } = divergenceOf(await scoreWindows(lane, windows, { base }));
  expect(klDivergence.maximum).toBeLessThan(1e-6);
  expect(topAgreement).toBe(1);
});

test("the tokens of a text stand for its bytes, and bits per byte count them", async () => {
  const sentence = "Ünïcode, naïveté — “quotes”, 12,345.\n\tand a tab";
  const whole = await example.model.tokenize(sentence);
  const bytes = scoredBytes({ sequences: [whole], first: 0 }, await example.model.tokenBytes());
  // This vocabulary puts one space before a text.
  expect(bytes).toBe(Buffer.byteLength(sentence) + 1);
  expect(bitsPerByte(Float64Array.of(-Math.LN2, -2 * Math.LN2), 4)).toBeCloseTo(0.75, 12);
});

describe("cutting", () => {
  const counted = Int32Array.from({ length: 25 }, (_, index) => index + 100);

  test("windows are consecutive, and the rest is dropped", () => {
    const { sequences, first } = cutWindows(counted, { sequenceLength: 10, protocol: "windows", bos: -1 });
    expect(sequences.map((window) => [window[0], window.at(-1), window.length])).toEqual([
      [100, 109, 10],
      [110, 119, 10],
    ]);
    expect(first).toBe(1);
  });

  test("behind BOS a window holds one token of the text fewer, and what follows BOS alone is not scored", () => {
    const { sequences, first } = cutWindows(counted, { sequenceLength: 10, protocol: "windows", bos: 1 });
    expect(sequences.slice(0, 2).map((window) => [...window.slice(0, 2), window.at(-1)])).toEqual([
      [1, 100, 108],
      [1, 109, 117],
    ]);
    expect(first).toBe(2);
  });

  test("llama.cpp's windows begin with BOS, once before the text and over each first token", () => {
    const { sequences, first } = cutWindows(counted, { sequenceLength: 10, protocol: "llama.cpp", bos: 1 });
    expect(sequences.map((window) => [...window.slice(0, 2), window.at(-1)])).toEqual([
      [1, 100, 108],
      [1, 110, 118],
    ]);
    // Positions 5 … 8 predict the tokens 6 … 9.
    expect(first).toBe(6);
    const without = cutWindows(counted, { sequenceLength: 10, protocol: "llama.cpp", bos: -1 });
    expect([...without.sequences[0]!]).toEqual([...counted.slice(0, 10)]);
  });

  test("a text of any length is cut", () => {
    const long = new Int32Array(1_000_000).fill(7);
    const { sequences } = cutWindows(long, { sequenceLength: 512, protocol: "llama.cpp", bos: 1 });
    expect(sequences).toHaveLength(1953);
  });
});
