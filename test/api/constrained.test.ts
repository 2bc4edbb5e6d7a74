import { expect, test } from "vitest";
import { compare } from "../../src/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { writeExampleAs } from "../support/renamed.ts";

test("compare leaves out the numbers of layers that an architecture does not allow", async () => {
  // Every fourth block of a SmolLM3 has no positions: only fours can go.
  const path = await writeExampleAs(temporaryFolder(), "smollm3");
  const options = {
    gpu: "off",
    threads: 1,
    sequences: 4,
    sequenceLength: 32,
    methods: ["lorp", "last"],
  } as const;
  const { candidates } = await compare(path, { ...options, remove: [3, 4, 5] });
  expect(new Set(candidates.map(({ budget }) => budget))).toEqual(new Set([4]));
  expect((await compare(path, { ...options, remove: [5] })).candidates).toEqual([]);
}, 60_000);
