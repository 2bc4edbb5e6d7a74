// What the default's choice costs on a real model, beside what other methods choose: mean KL divergence from the original
// on the part of lorp's text that neither the analysis nor a choice has seen, and the tokens that were run to choose (as
// they count for the search's limit). `unlimited` is `auto` without that limit.
//   node bench/real-models.js MODEL.gguf [BUDGETS, such as 1,3,5] [METHODS]
// GPU in the environment says what computes ("cuda"); without it, the CPU.
import { basename } from "node:path";
import { analyzeOpened } from "../dist/api/analyze.js";
import { describeModel } from "../dist/api/stages/describe.js";
import { lossesOf } from "../dist/api/stages/objective.js";
import { openForCalibration } from "../dist/api/stages/open.js";
import { createPlanner } from "../dist/api/stages/planner.js";
import { createTrials, meanLoss } from "../dist/selection/trials.js";
import { chosenGpu, usage } from "./measure.js";

const need = () => usage("real-models.js MODEL.gguf [BUDGETS] [METHODS]");
const [path = need(), budgets = "1,3,5", methods = "auto,lorp,shortgpt,streamline,sleb"] =
  process.argv.slice(2);
const options = { gpu: chosenGpu() };
const described = await describeModel(path);
const opened = await openForCalibration(described, options);
const analysis = await analyzeOpened(described, opened, options);
const layers = analysis.similarity.length;
const report = createTrials(await lossesOf(opened, "kl", "report"), layers);

/**
 * Tokens that the sets of a Plan took, each counted from its first removed layer on.
 * @param {import("../dist/index.js").Plan} plan
 */
function workOf({ measurements }) {
  if (!measurements) return 0;
  const { sets, sequenceLength } = measurements;
  return sets.reduce(
    (sum, { sequences, removedLayers: [first = 0] }) =>
      sum + sequences * sequenceLength * (1 - first / layers),
    0,
  );
}

const names = methods.split(",");
console.log(`${basename(path)}: KL divergence, nats a token (layers; thousands of tokens run to choose)\n`);
console.log(`| removed | ${names.map((name) => `\`${name}\``).join(" | ")} |`);
console.log(`|--:|${"---|".repeat(names.length)}`);
for (const budget of budgets.split(",").map(Number)) {
  const cells = [];
  for (const name of names) {
    // A planner of its own: none profits from what another has measured.
    const limits = name === "unlimited" ? { searchTime: 86_400 } : {};
    const planner = createPlanner(opened, analysis, await lossesOf(opened, "kl"), { ...options, ...limits });
    const plan = await planner(name === "unlimited" ? "auto" : name, budget);
    const kl = meanLoss(await report.measure(plan.removedLayers, name));
    const work = workOf(plan);
    const tokens = work > 0 ? `; ${Math.round(work / 1000)}` : "";
    cells.push(`${kl.toFixed(3)} (${plan.removedLayers.join(" ")}${tokens})`);
  }
  console.log(`| ${budget} | ${cells.join(" | ")} |`);
}
opened.close();
