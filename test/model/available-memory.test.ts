import { expect, test } from "vitest";
import { withReclaimable } from "../../src/model/available-memory.ts";

const machine = "MemTotal:       32000000 kB\nMemFree:         1000000 kB\nMemAvailable:   20000000 kB\n";

test("a container's page cache that can be dropped counts as memory that can be had", () => {
  const v1 = "inactive_file 5\ntotal_rss 7\ntotal_inactive_file 900000000\n";
  expect(withReclaimable(11_000_000, machine, v1)).toBe(911_000_000);
  expect(withReclaimable(11_000_000, machine, "anon 7\ninactive_file 900000000\n")).toBe(911_000_000);
});

test("but no more than the machine has, and nothing where there is no container", () => {
  expect(withReclaimable(20_479_000_000, machine, "inactive_file 900000000\n")).toBe(20_480_000_000);
  expect(withReclaimable(20_480_000_000, machine, "inactive_file 900000000\n")).toBe(20_480_000_000);
  expect(withReclaimable(5, "", "")).toBe(5);
});
