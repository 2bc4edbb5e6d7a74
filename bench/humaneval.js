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
import { chosenGpu, percent, usage } from "./measure.js";

/** @typedef {{ task_id: string, prompt: string, test: string, entry_point: string }} Task */

/** Tokens that an answer has at most; most end before the first of these lengths, and only the others go on. */
const LENGTHS = [96, 256];

/** Tasks answered side by side. */
const AT_A_TIME = 8;

const need = () => usage("humaneval.js MODEL.gguf TASKS.jsonl [LAYERS] [FIRST]");
const [path = need(), file = need(), layers = "none", first = "1000"] = process.argv.slice(2);

const lines = (await readFile(file, "utf8")).trim().split("\n").slice(0, Number(first));
/** @type {Task[]} */
const tasks = lines.map((line) => JSON.parse(line));
const skip = layers === "none" ? [] : parseLayers(layers);
const { architecture } = await describeModel(path);
const model = await openModel(path, { gpu: chosenGpu() });

const isWhole = (/** @type {string} */ text) => /\n\S/.test(text);
/** @type {string[]} */
const passed = [];
for (let from = 0; from < tasks.length; from += AT_A_TIME) {
  for (const { task, text } of await complete(tasks.slice(from, from + AT_A_TIME))) {
    if (await passes(task, text)) passed.push(task.task_id);
  }
  console.error(`${Math.min(from + AT_A_TIME, tasks.length)} of ${tasks.length}: ${passed.length} solved`);
}
const interval = wilsonInterval(passed.length, tasks.length).map((share) => percent(share));
console.log(
  `${basename(path)} without ${layers}: ${passed.length} of ${tasks.length} solved (${interval.join(" to ")} of such): ${passed.map((id) => id.split("/")[1]).join(" ")}`,
);
model.close();

/** What the model writes after each task's prompt, up to a new top-level line. @param {readonly Task[]} some */
async function complete(some) {
  const answers = await Promise.all(
    some.map(async (task) => ({
      task,
      tokens: beginWithBos(await model.tokenize(task.prompt), model.info.bos),
      text: "",
    })),
  );
  let open = answers;
  for (const [step, length] of LENGTHS.entries()) {
    const more = length - (LENGTHS[step - 1] ?? 0);
    const sequenceLength = Math.max(...open.map(({ tokens }) => tokens.length)) + more;
    const session = model.openSession({
      sequenceLength,
      sequences: open.length,
      states: architecture.states,
    });
    const generated = await session.generate(
      open.map(({ tokens }) => tokens),
      more,
      { skip },
    );
    session.close();
    for (const [place, answer] of open.entries()) {
      const written = generated[place] ?? new Int32Array();
      answer.tokens = Int32Array.from([...answer.tokens, ...written]);
      answer.text += await model.text(written);
    }
    open = open.filter(({ text }, place) => generated[place]?.length === more && !isWhole(text));
    if (open.length === 0) break;
  }
  return answers.map(({ task, text }) => ({ task, text: text.replace(/\n\S.*/s, "") }));
}

/** @param {Task} task @param {string} completion */
async function passes({ prompt, test, entry_point }, completion) {
  const program = `${prompt}${completion}\n${test}\ncheck(${entry_point})\n`;
  const run = promisify(execFile)("python3", ["-I", "-c", program], { timeout: 10_000, cwd: tmpdir() });
  return run.then(
    () => true,
    () => false,
  );
}
