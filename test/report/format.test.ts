import { expect, test } from "vitest";
import * as format from "../../src/report/format.ts";

test.each([
  [format.formatBytes(0), "0 B"],
  [format.formatBytes(999), "999 B"],
  [format.formatBytes(999.7), "1.00 kB"],
  [format.formatBytes(13_793_792), "13.8 MB"],
  [format.formatBytes(999_600_000), "1.00 GB"],
  [format.formatBytes(5.2e15), "5.20e+3 TB"],
  [format.formatCount(7), "7"],
  [format.formatCount(12_900_000), "12.9 M"],
  [format.formatCount(70_600_000_000), "70.6 B"],
  [format.formatChange(20, 15), "−25.0 %"],
  [format.formatChange(1, 1.0004), "0.0 %"],
  [format.formatChange(0, 7), "–"],
  [format.formatChange(57.857, 64.213), "+11.0 %"],
  [format.formatPerplexity(52.371), "52.37"],
  [format.formatPerplexity(1234.5), "1,235"],
  [format.formatLayers([3, 5, 6, 7, 9, 10]), "3, 5–7, 9–10"],
  [format.formatLayers([]), ""],
  [format.formatDepth({ blockCount: 20 }), "20 layers"],
  [format.formatDepth({ blockCount: 10, loops: 6 }), "10 layers, run in 6 loops"],
  [format.formatDuration(59.2), "1 min 00 s"],
  [format.formatDuration(3720), "1 h 02 min"],
  [format.formatPercent(0.1234), "12.3 %"],
])("%s", (written, expected) => expect(written).toBe(expected));

test("a table has its first column to the left and the others to the right", () => {
  const rows = [
    ["", "before"],
    ["blocks", "9"],
  ];
  expect(format.formatTable(rows)).toBe("        before\nblocks       9");
});
