// Prints "N passed, N failed" over JUnit files: node scripts/count-tests.js <file>…
//
// A test that a later file has again counts once: as failed where it failed in any, as skipped only where it was skipped
// in all. Fails when a test failed, none passed, or a file is missing.
import { readFileSync } from "node:fs";

/** @typedef {"skipped" | "passed" | "failed"} Outcome */

/** @param {string} file @returns {Iterable<[string, Outcome]>} tests by name; those of the same name are numbered */
function* readTests(file) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  for (const [, attributes = "", body = ""] of readFileSync(file, "utf8").matchAll(
    /<testcase\b((?:"[^"]*"|[^">])*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const name = ["classname", "name"]
      .map((key) => new RegExp(`\\b${key}="([^"]*)"`).exec(attributes)?.[1])
      .join();
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    const outcome = /<(failure|error)\b/.test(body)
      ? "failed"
      : /<skipped\b/.test(body)
        ? "skipped"
        : "passed";
    yield [`${name} #${number}`, outcome];
  }
}

/** From what counts least to what counts most. */
const RANKS = /** @type {const} */ (["skipped", "passed", "failed"]);
/** @type {Map<string, Outcome>} */
const outcomes = new Map();
for (const file of process.argv.slice(2)) {
  try {
    for (const [name, outcome] of readTests(file)) {
      const known = outcomes.get(name) ?? "skipped";
      outcomes.set(name, RANKS.indexOf(outcome) > RANKS.indexOf(known) ? outcome : known);
    }
  } catch {
    console.error(`${file} is missing: its tests did not run to the end.`);
    outcomes.set(file, "failed");
  }
}
/** @param {Outcome} outcome */
const count = (outcome) => [...outcomes.values()].filter((found) => found === outcome).length;
if (count("skipped") > 0) console.log(`skipped: ${count("skipped")}`);
console.log(`${count("passed")} passed, ${count("failed")} failed`);
process.exitCode = count("failed") > 0 || count("passed") === 0 ? 1 : 0;
