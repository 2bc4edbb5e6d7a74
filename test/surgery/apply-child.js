// Writes one model as faults.test.ts tells it to: node apply-child.js DIST INPUT OUTPUT FORCE.
// Says "ready" when it is about to write, waits for a line if told to by stdin being open, and then says how it ended.
import { once } from "node:events";
import { pathToFileURL } from "node:url";

const [dist = "", input = "", output = "", force] = process.argv.slice(2);
/** @param {string} name */
const load = (name) => import(pathToFileURL(`${dist}/${name}`).href);
/** @type {typeof import("../../src/gguf/read.ts")} */
const { readGguf } = await load("gguf/read.js");
/** @type {typeof import("../../src/surgery/apply.ts")} */
const { applyPlan } = await load("surgery/apply.js");
const model = await readGguf(input);
console.log("ready");
await once(process.stdin, "data");
const ended = await applyPlan({
  model,
  rewrite: { set: new Map(), renameTensor: (name) => name },
  provenance: new Map(),
  output,
  force: force === "true",
}).then(
  () => "done",
  ({ code, message }) => `${code}: ${message}`,
);
console.log(ended);
process.exit();
