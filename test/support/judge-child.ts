import { appendFileSync } from "node:fs";
import { openRuntime } from "../../src/model/runtime.ts";
import { judge } from "./oracle.ts";

/**
 * Judges one fixture in a process of its own, since llama.cpp may end it. What happens is appended to a file, a line of
 * JSON for each set before it is tried, another one when it has been, and a last one.
 */
const [fixture, folder, count, seed, illegal, log] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const say = (line: object) => appendFileSync(log, `${JSON.stringify(line)}\n`);
await openRuntime("off");
const { refusal, resumption } = await judge(fixture, folder, Number(count), {
  seed: Number(seed),
  illegal: illegal === "illegal",
  onCut: (removed, rule) => say({ removed, rule }),
  onDone: (cut) => say(cut.failure === undefined ? cut : { ...cut, error: "failed" }),
});
say({ refusal, resumption, ended: true });
