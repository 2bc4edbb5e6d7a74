import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { physicalCores, usefulThreads } from "../../src/model/threads.ts";

const most = availableParallelism();

test("a context gets the physical cores that are idle, and always one", () => {
  expect(usefulThreads(most, most)).toBe(most);
  expect(usefulThreads(most, Number.POSITIVE_INFINITY)).toBe(most);
  expect(usefulThreads(most, 0)).toBe(1);
  expect(usefulThreads(most, 1.7)).toBe(1);
  expect(usefulThreads(most, 1.8)).toBe(Math.min(2, most));
  // More logical processors than cores.
  expect(usefulThreads(1, most)).toBe(1);
});

test("no more cores than this process may use", () => {
  expect(physicalCores(most + 100)).toBe(most);
  expect(physicalCores(0)).toBe(1);
});
