import fc from "fast-check";
import { expect, test } from "vitest";
import { budgetMemory, layOutLanes, usefulLanes, type Workload } from "../../src/model/memory.ts";

/** An 8B model of the Llama kind. */
const workload: Workload = {
  layers: 32,
  embeddingLength: 4096,
  cacheWidth: 2 * 32 * 4096,
  sequenceLength: 2048,
  logits: 0,
  threads: 8,
  lanes: 4,
};

test("with room enough all lanes run, with all threads and full micro-batches", () => {
  expect(layOutLanes(workload, 1e12)).toMatchObject({ threads: [2, 2, 2, 2], microBatch: 128 });
  expect(layOutLanes({ ...workload, threads: 7 }, 1e12).threads).toEqual([1, 2, 2, 2]);
  expect(layOutLanes({ ...workload, lanes: 1 }, 1e12)).toMatchObject({ threads: [8], microBatch: 512 });
  expect(layOutLanes({ ...workload, sequenceLength: 100 }, 1e12).microBatch).toBe(100);
});

test("less memory takes tokens of the micro-batch first, then lanes", () => {
  const layouts = [8e9, 4.6e9, 4e9, 2e9, 1.1e9].map((memory) => layOutLanes(workload, memory));
  const sizes = layouts.map(({ threads, microBatch }) => threads.length * microBatch);
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  expect(layouts.map(({ threads }) => threads.length)).toEqual([4, 4, 2, 1, 1]);
});

test("whatever fits is found, and uses every thread", () => {
  const some = fc.record({
    layers: fc.integer({ min: 1, max: 128 }),
    embeddingLength: fc.integer({ min: 1, max: 16_384 }),
    cacheWidth: fc.integer({ min: 1, max: 4_000_000 }),
    sequenceLength: fc.integer({ min: 1, max: 8192 }),
    logits: fc.integer({ min: 0, max: 256_000 }),
    threads: fc.integer({ min: 4, max: 64 }),
    lanes: fc.integer({ min: 1, max: 4 }),
    sequences: fc.integer({ min: 1, max: 8 }),
  });
  fc.assert(
    fc.property(some, fc.integer({ min: 1e6, max: 1e12 }), (given, memory) => {
      const { layers, embeddingLength, cacheWidth, sequenceLength, sequences, logits } = given;
      const states = (microBatch: number) => 4 * microBatch * layers * embeddingLength;
      const cache = 2 * cacheWidth * sequences * sequenceLength;
      try {
        const { threads, microBatch } = layOutLanes(given, memory);
        expect(threads.reduce((a, b) => a + b)).toBe(given.threads);
        expect(microBatch).toBeGreaterThanOrEqual(1);
        expect(threads.length * (states(microBatch) + cache)).toBeLessThanOrEqual(memory);
      } catch (error) {
        expect(error).toMatchObject({ code: "RUNTIME_MEMORY" });
        expect(states(1) + cache + 4 * (24 * embeddingLength + 2 * logits)).toBeGreaterThan(memory);
      }
    }),
  );
});

test("weights are rearranged only where the copy leaves room", () => {
  expect(budgetMemory(5e9, 16e9, 8e9)).toMatchObject({ repack: true, work: 3e9 });
  expect(budgetMemory(5e9, 16e9, 6e9)).toMatchObject({ repack: false, work: 6e9 });
});

test("a model larger than memory runs in one lane", () => {
  const memory = budgetMemory(1e13, 16e9, undefined);
  expect(memory).toMatchObject({ repack: false, resident: false });
  expect(usefulLanes("cpu", 8, memory)).toBe(1);
  expect(usefulLanes("cpu", 8, { ...memory, resident: true })).toBe(4);
  expect(usefulLanes("cpu", 2, { ...memory, resident: true })).toBe(2);
  expect(usefulLanes("cuda", 8, { ...memory, resident: true })).toBe(1);
});
