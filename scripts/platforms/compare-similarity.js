// node compare-similarity.js <report> <report> <tolerance> <device>: fails unless the second was computed on that device
// and the similarities of both agree.
import { readFileSync } from "node:fs";

const [first = "", second = "", tolerance = "", device] = process.argv.slice(2);
/** @param {string} path */
const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const [expected, found] = [read(first), read(second)];
const differences = expected.analysis.similarity.flatMap(
  (/** @type {number[]} */ row, /** @type {number} */ i) =>
    row.map((value, j) => Math.abs(value - found.analysis.similarity[i][j])),
);
const largest = Math.max(...differences);
console.log(
  `${found.settings.device}: similarities within ${largest.toExponential(1)} of ${expected.settings.device}`,
);
process.exitCode = found.settings.device === device && largest <= Number(tolerance) ? 0 : 1;
