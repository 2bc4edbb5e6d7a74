/**
 * What a busy machine costs: one answer of `lorp chat` by default threads, by one, and by as many as there are
 * processors, the runs taking turns, while other processes keep some processors busy. Prints JSON, and a table on stderr.
 *
 *   node bench/busy.js [--quick] MODEL.gguf
 *
 * RUNS and TOKENS can be set by environment variables; BUSY says how many processors are kept busy (default: none, half,
 * all).
 */
import { execFile, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { alternate, median, medianRatio, printTable, two, usage } from "./measure.js";

const quick = process.argv.includes("--quick");
const [model = usage("busy.js [--quick] MODEL.gguf")] = process.argv
  .slice(2)
  .filter((argument) => argument !== "--quick");
const processors = availableParallelism();
const RUNS = Number(process.env.RUNS ?? (quick ? 3 : 7));
const TOKENS = process.env.TOKENS ?? (quick ? "16" : "48");
const LOADS = process.env.BUSY?.split(",").map(Number) ?? [0, Math.ceil(processors / 2), processors];

const run = promisify(execFile);
const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
/** @param {string[]} threads */
const chat = (...threads) =>
  run(process.execPath, [
    ...[main, "chat", model, "--gpu", "off", "--max-tokens", TOKENS],
    ...["--prompt", "Tell me about the sea.", ...threads],
  ]);

const results = [];
for (const load of LOADS) {
  const others = Array.from({ length: load }, () => spawn(process.execPath, ["-e", "for (;;);"]));
  try {
    const times = await alternate(
      {
        default: () => chat(),
        one: () => chat("--threads", "1"),
        all: () => chat("--threads", String(processors)),
      },
      RUNS,
    );
    results.push({
      busy: load,
      seconds: {
        default: median(times.default.wall),
        one: median(times.one.wall),
        all: median(times.all.wall),
      },
      againstOne: medianRatio(times.default.wall, times.one.wall),
    });
  } finally {
    for (const other of others) other.kill();
  }
}
printTable([
  ["processors kept busy", "default, s", "--threads 1", `--threads ${processors}`, "default ÷ 1 thread"],
  ...results.map(({ busy, seconds, againstOne }) => [
    `${busy} of ${processors}`,
    ...[seconds.default, seconds.one, seconds.all].map((value) => value.toFixed(1)),
    `×${two(againstOne)}`,
  ]),
]);
console.log(JSON.stringify({ model, runs: RUNS, tokens: Number(TOKENS), processors, results }));
