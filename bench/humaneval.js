// How many of HumanEval's tasks a model solves without some layers: greedy completions of the prompts, cut at a new
// top-level line and run with the task's own test in Python. What a model wrote is run as it is, so do this where it may
// do no harm. Not part of the package.
//   node bench/humaneval.js MODEL.gguf TASKS.jsonl [LAYERS such as 14-16, or none] [FIRST such as 24]
// GPU in the environment says what computes ("cuda"); without it, the CPU.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { promisify } from "node:util";
import { describeModel } from "../dist/api/stages/describe.js";
import { beginWithBos } from "../dist/calibration/sequences.js";
import { openModel } from "../dist/model/model.js";
import { parseLayers } from "../dist/selection/budget.js";
import { wilsonInterval } from "../dist/statistics.js";

/** Tokens that an answer has at most; most end before the first of these lengths, and only the others go on. */
const LENGTHS = [96, 256];

/** Tasks answered side by side. */
const AT_A_TIME = 8;

const [path, file, layers = "none", first = "1000"] = process.argv.slice(2);
if (file === undefined)
  throw new Error("Name a model and the tasks: node bench/humaneval.js MODEL.gguf TASKS.jsonl");

const lines = (await readFile(file, "utf8")).trim().split("\n").slice(0, Number(first));
const tasks = lines.map((line) => JSON.parse(line));
const skip = layers === "none" ? [] : parseLayers(layers);
const { architecture } = await describeModel(path);
const model = await openModel(path, { gpu: process.env.GPU ?? "off" });

const isWhole = (text) => /\n\S/.test(text);
const passed = [];
for (let from = 0; from < tasks.length; from += AT_A_TIME) {
  const some = tasks.slice(from, from + AT_A_TIME);
  const completions = await complete(some.map(({ prompt }) => prompt));
  for (const [index, task] of some.entries()) {
    if (await passes(task, completions[index])) passed.push(task.task_id);
  }
  console.error(`${Math.min(from + AT_A_TIME, tasks.length)} of ${tasks.length}: ${passed.length} solved`);
}
const interval = wilsonInterval(passed.length, tasks.length).map((share) => `${(100 * share).toFixed(0)} %`);
console.log(
  `${basename(path)} without ${layers}: ${passed.length} of ${tasks.length} solved (${interval.join(" to ")} of such): ${passed.map((id) => id.split("/")[1]).join(" ")}`,
);
model.close();

/** What the model writes after each prompt, up to a new top-level line. */
async function complete(prompts) {
  const texts = prompts.map(() => "");
  const begun = await Promise.all(
    prompts.map(async (prompt) => beginWithBos(await model.tokenize(prompt), model.info.bos)),
  );
  let open = prompts.map((_, index) => index);
  for (const [step, length] of LENGTHS.entries()) {
    const more = length - (LENGTHS[step - 1] ?? 0);
    const sequenceLength = Math.max(...open.map((index) => begun[index].length)) + more;
    const session = model.openSession({
      sequenceLength,
      sequences: open.length,
      states: architecture.states,
    });
    const generated = await session.generate(
      open.map((index) => begun[index]),
      more,
      { skip },
    );
    session.close();
    for (const [place, index] of open.entries()) {
      begun[index] = Int32Array.from([...begun[index], ...generated[place]]);
      texts[index] += await model.text(generated[place]);
    }
    open = open.filter((index, place) => generated[place].length === more && !isWhole(texts[index]));
    if (open.length === 0) break;
  }
  return texts.map((text) => text.split(/\n(?=\S)/)[0]);
}

async function passes({ prompt, test, entry_point }, completion) {
  const program = `${prompt}${completion}\n${test}\ncheck(${entry_point})\n`;
  const run = promisify(execFile)("python3", ["-I", "-c", program], { timeout: 10_000, cwd: tmpdir() });
  return run.then(
    () => true,
    () => false,
  );
}
