// Prints "N passed, N failed" over the JUnit files of a folder: one by vitest, one by ctest. Fails when a test failed
// or a file is missing.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2] ?? "build/test-results";
let passed = 0;
let failed = 0;
let skipped = 0;
for (const name of ["vitest.xml", "native.xml"]) {
  let xml = "";
  try {
    xml = readFileSync(join(folder, name), "utf8");
  } catch {
    console.error(`${name} is missing: its tests did not run to the end.`);
    failed++;
  }
  for (const [, body = ""] of xml.matchAll(/<testcase\b[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    if (/<(failure|error)\b/.test(body)) failed++;
    else if (/<skipped\b/.test(body)) skipped++;
    else passed++;
  }
}
if (skipped > 0) console.log(`skipped: ${skipped}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
