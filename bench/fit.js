/**
 * What fitting a repair's maps takes, in passes of the model over the text that they are fitted on, the runs taking turns:
 *
 *   npm run build && node bench/fit.js MODEL.gguf [LAYERS such as 13-15]
 *
 * A pass computes every token's logits, as any measurement does. `bridge` and `both` gather the sums of the equations of
 * the first gap, for a bridge alone and for a refit as well, and `behind` those of the layer behind it; `solve` is one λ
 * of each. Prints JSON, and a table on stderr. RUNS, SEQUENCES and THREADS can be set by environment variables.
 */
import { basename } from "node:path";
import { describeModel } from "../dist/api/stages/describe.js";
import { openForCalibration } from "../dist/api/stages/open.js";
import { gatherEquations } from "../dist/repair/equations.js";
import { behindLast, gapsOf } from "../dist/repair/gaps.js";
import { KINDS } from "../dist/repair/places.js";
import { parseLayers } from "../dist/selection/budget.js";
import { alternate, median, medianRatio, printTable, usage } from "./measure.js";

const [path = usage("fit.js MODEL.gguf [LAYERS]"), layers = "13-15"] = process.argv.slice(2);
const RUNS = Number(process.env.RUNS ?? 5);
const described = await describeModel(path);
const opened = await openForCalibration(described, {
  gpu: "off",
  sequences: Number(process.env.SEQUENCES ?? 4),
  threads: Number(process.env.THREADS ?? 1),
});
const { model, sequenceLength } = opened;
const { sequences: calibration } = await opened.fit();
const removed = parseLayers(layers);
const [gap] = gapsOf(removed);
if (gap === undefined) throw new Error(`no kept layer stands before ${layers}`);
const behind = behindLast([gap], described.architecture.analysedBlocks);
if (behind === undefined) throw new Error(`no kept layer stands behind ${layers}`);
const openSession = () => model.openSession({ sequenceLength, states: described.architecture.states });
const [session, original] = [openSession(), openSession()];
const removal = { model, file: described.file, removed, session, original, calibration };

/** @param {("refit" | "bridge")[]} kinds */
const gather = (kinds, at = gap) =>
  gatherEquations(
    removal,
    at,
    kinds.map((kind) => KINDS[kind].place(described, at)),
    [],
  );
/** @param {Awaited<ReturnType<typeof gather>>} equations */
const close = (equations) => {
  for (const { sums } of equations) sums.close();
};
const [refit, bridge] = await gather(["refit", "bridge"]);
if (!refit || !bridge) throw new Error("the model can have no repair");

const things = {
  pass: async () => {
    for (const tokens of calibration) await session.score(tokens);
  },
  bridge: async () => close(await gather(["bridge"])),
  behind: async () => close(await gather(["refit"], behind)),
  both: async () => close(await gather(["refit", "bridge"])),
  "solve refit": () => refit.sums.solve(1e-2),
  "solve bridge": () => bridge.sums.solve(1e-2),
};
await alternate(things, 1);
const times = await alternate(things, RUNS);
const tokens = calibration.length * sequenceLength;
const seconds = Object.fromEntries(Object.entries(times).map(([name, { wall }]) => [name, median(wall)]));
const passes = Object.fromEntries(
  Object.entries(times).map(([name, { wall }]) => [name, medianRatio(wall, times.pass.wall)]),
);
printTable([
  [`${basename(path)}, ${tokens} tokens`, "seconds", "passes"],
  ...Object.keys(things).map((name) => [
    name,
    (seconds[name] ?? Number.NaN).toFixed(2),
    (passes[name] ?? Number.NaN).toFixed(2),
  ]),
]);
console.log(JSON.stringify({ tokens, runs: RUNS, seconds, passes }));
close([refit, bridge]);
opened.close();
process.exit(0);
