// @ts-check
/**
 * Whether compensation costs anything when the model runs: seconds a token of generation and bytes of a
 * pruned file with factors by those of the same file without, the runs taking turns. Prints JSON, and a table on stderr.
 *
 *   node bench/generation.js [--quick] MODEL.gguf…
 *
 * RUNS, TOKENS and THREADS can be set by environment variables. The factors are made up: their values do not matter.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describeModel } from "../dist/api/stages/open.js";
import { apply, plan } from "../dist/index.js";
import { openModel } from "../dist/model/model.js";
import { alternate, median, medianRatio, printTable } from "./measure.js";

const quick = process.argv.includes("--quick");
const models = process.argv.slice(2).filter((argument) => argument !== "--quick");
if (models.length === 0) throw new Error("usage: node bench/generation.js [--quick] MODEL.gguf…");
const RUNS = Number(process.env.RUNS ?? (quick ? 3 : 15));
const TOKENS = Number(process.env.TOKENS ?? (quick ? 16 : 128));
const THREADS = Number(process.env.THREADS ?? 1);
const PROMPT = 16;

const folder = await mkdtemp(join(tmpdir(), "lorp-bench-"));
const results = [];
try {
  for (const path of models) results.push(await measure(path));
} finally {
  await rm(folder, { recursive: true });
}
const percent = (/** @type {number} */ ratio) => `${(100 * (ratio - 1)).toFixed(3)} %`;
printTable([
  ["model", "tokens/s without", "with factors", "seconds a token", "bytes"],
  ...results.map(({ model, tokensPerSecond, generation, bytes }) => [
    model,
    tokensPerSecond.without.toFixed(1),
    tokensPerSecond.with.toFixed(1),
    percent(generation),
    percent(bytes),
  ]),
]);
console.log(JSON.stringify({ runs: RUNS, tokens: TOKENS, threads: THREADS, results }));
process.exit(0);

/** @param {string} path */
async function measure(path) {
  const { architecture, summary } = await describeModel(path);
  const { blockCount } = summary;
  const first = Math.floor(blockCount / 4);
  const end = first + Math.max(1, Math.floor(blockCount / 5));
  const plain = plan({ schemaVersion: 1, model: summary, similarity: [] }, { layers: `${first}-${end - 1}` });
  const factors = plain.keptLayers
    .filter((layer) => layer >= end)
    .map((layer) => ({ layer, attention: 1.1 + layer / 1000, feedForward: 0.9 + layer / 1000 }));
  const without = await apply(path, plain, { output: join(folder, "without.gguf"), force: true });
  const compensated = await apply(
    path,
    { ...plain, compensation: { mode: "fit", factors } },
    { output: join(folder, "with.gguf"), force: true },
  );
  const opened = await Promise.all(
    [without.path, compensated.path].map(async (written) => {
      const model = await openModel(written, { gpu: "off", threads: THREADS });
      const session = model.openSession({ sequenceLength: PROMPT + TOKENS, states: architecture.states });
      const tokens = Int32Array.from(
        { length: PROMPT + TOKENS },
        (_, i) => (i * 811 + 17) % model.info.vocabularySize,
      );
      const close = () => {
        session.close();
        model.close();
      };
      return { generate: () => session.time(tokens, PROMPT), close };
    }),
  );
  const [plainModel, scaledModel] = /** @type {[typeof opened[0], typeof opened[0]]} */ (opened);
  /** @type {Record<"without" | "with", number[]>} seconds of generation, each run */
  const seconds = { without: [], with: [] };
  const run =
    (/** @type {"without" | "with"} */ name, /** @type {typeof opened[0]} */ { generate }) =>
    async () => {
      seconds[name].push((await generate()).generation);
    };
  await Promise.all(opened.map(({ generate }) => generate()));
  await alternate({ without: run("without", plainModel), with: run("with", scaledModel) }, RUNS);
  for (const { close } of opened) close();
  const size = async (/** @type {string} */ file) => (await stat(file)).size;
  return {
    model: basename(path),
    tokensPerSecond: {
      without: TOKENS / median(seconds.without),
      with: TOKENS / median(seconds.with),
    },
    generation: medianRatio(seconds.with, seconds.without),
    bytes: (await size(compensated.path)) / (await size(without.path)),
  };
}
