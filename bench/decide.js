// What everything but measuring costs: spectral clustering and selection for a model of 128 layers, and the command
// line's start. Needs `npm run build` first. Prints a table on stderr, JSON on stdout.
//
//   node bench/decide.js [--runs N]
import { execFileSync } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { completeAnalysis } from "../dist/analysis/complete.js";
import { makePlan } from "../dist/selection/plan.js";
import { alternate, median, medianRatio, printTable } from "./measure.js";

const LAYERS = 128;
const CLI = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** Layers resemble each other the less the farther apart they are, and not quite evenly. */
const similarity = Array.from({ length: LAYERS }, (_, i) =>
  Array.from({ length: LAYERS }, (_, j) =>
    i === j ? 1 : Math.exp(-Math.abs(i - j) / 40) * (1 - 0.02 * Math.abs(Math.sin(i + j) * Math.cos(i * j))),
  ),
);

function decide() {
  const model = { blockCount: LAYERS };
  for (const clusters of [2, 3, 4, 5, 6]) {
    const analysis = completeAnalysis({ schemaVersion: 1, model, similarity }, { clusters });
    makePlan(analysis, { method: "lorp", budget: LAYERS / 4 });
  }
}

/** @param {{ runs?: number }} options */
export async function benchDecide({ runs = 7 } = {}) {
  const node = (/** @type {string[]} */ ...args) => execFileSync(process.execPath, args, { stdio: "ignore" });
  decide();
  const decided = await alternate({ decide: async () => decide() }, runs);
  const started = await alternate(
    { help: async () => node(CLI, "--help"), nothing: async () => node("-e", "0") },
    runs,
  );
  return {
    layers: LAYERS,
    clusters: [2, 3, 4, 5, 6],
    decideMilliseconds: 1000 * median(decided.decide.wall),
    helpSeconds: median(started.help.wall),
    nothingSeconds: median(started.nothing.wall),
    helpRatio: medianRatio(started.help.wall, started.nothing.wall),
  };
}

/** @param {Awaited<ReturnType<typeof benchDecide>>} result */
export function printDecide({ layers, decideMilliseconds, helpSeconds, nothingSeconds, helpRatio }) {
  printTable([
    [`clusters and selection, ${layers} layers, K = 2…6`, "lorp --help", "node -e 0", "ratio"],
    [
      `${decideMilliseconds.toFixed(1)} ms`,
      `${helpSeconds.toFixed(3)} s`,
      `${nothingSeconds.toFixed(3)} s`,
      helpRatio.toFixed(2),
    ],
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { values } = parseArgs({ options: { runs: { type: "string" } } });
  const result = await benchDecide({ runs: Number(values.runs ?? 7) });
  printDecide(result);
  console.log(JSON.stringify(result, null, 2));
}
