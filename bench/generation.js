/**
 * What a bridge costs when the model runs, as a share of what a block costs: seconds of a prompt and of a generated token
 * of three files, the runs taking turns. Prints JSON, and a table on stderr.
 *
 *   lorp prune MODEL.gguf --layers 13-15 -o pruned.gguf
 *   lorp prune MODEL.gguf --layers 13-15 --repair bridge -o bridged.gguf
 *   lorp prune MODEL.gguf --layers 13-14 -o longer.gguf
 *   node bench/generation.js pruned.gguf bridged.gguf longer.gguf
 *
 * RUNS, TOKENS (of the prompt, and generated) and THREADS can be set by environment variables.
 */
import { stat } from "node:fs/promises";
import { describeModel } from "../dist/api/stages/describe.js";
import { openModel } from "../dist/model/model.js";
import { alternate, median, printTable } from "./measure.js";

const NAMES = /** @type {const} */ (["pruned", "bridged", "longer"]);
const paths = process.argv.slice(2);
if (paths.length !== NAMES.length) throw new Error(`usage: node bench/generation.js ${NAMES.join(" ")}`);
const RUNS = Number(process.env.RUNS ?? 15);
const TOKENS = Number(process.env.TOKENS ?? 128);
const THREADS = Number(process.env.THREADS ?? 1);

const files = await Promise.all(paths.map(open));
for (const { run } of files) await run();
for (const { prompts, generations } of files) prompts.length = generations.length = 0;
await alternate(Object.fromEntries(files.map(({ name, run }) => [name, run])), RUNS);

/** By what the second of three takes longer than the first, of what the third does. @param {readonly number[]} three */
const share = ([pruned = 0, bridged = 0, longer = 0]) => (bridged - pruned) / (longer - pruned);
const prompt = files.map(({ prompts }) => median(prompts) / TOKENS);
const generation = files.map(({ generations }) => median(generations) / TOKENS);
printTable([
  ["file", "bytes", "prompt tokens/s", "generated tokens/s"],
  ...files.map(({ name, bytes }, i) => [
    name,
    String(bytes),
    (1 / (prompt[i] ?? 0)).toFixed(1),
    (1 / (generation[i] ?? 0)).toFixed(1),
  ]),
]);
const shares = { prompt: share(prompt), generation: share(generation) };
console.log(JSON.stringify({ runs: RUNS, tokens: TOKENS, threads: THREADS, prompt, generation, shares }));
process.exit(0);

/**
 * @param {string} path
 * @param {number} index
 */
async function open(path, index) {
  const { architecture } = await describeModel(path);
  const model = await openModel(path, { gpu: "off", threads: THREADS });
  const session = model.openSession({ sequenceLength: 2 * TOKENS, states: architecture.states });
  const tokens = Int32Array.from(
    { length: 2 * TOKENS },
    (_, i) => (i * 811 + 17) % model.info.vocabularySize,
  );
  /** @type {number[]} */
  const prompts = [];
  /** @type {number[]} */
  const generations = [];
  return {
    name: NAMES[index] ?? path,
    bytes: (await stat(path)).size,
    prompts,
    generations,
    async run() {
      const { prompt, generation } = await session.time(tokens, TOKENS);
      prompts.push(prompt);
      generations.push(generation);
    },
  };
}
