// What measuring a model costs beside llama.cpp's own forward pass over the same tokens with the same threads: time
// and memory. Needs `npm run build` first.
//
//   node bench/capture.js [--runs N] [--tokens N] [--threads N] [MODEL…]
//
// Without models: a random one of 115 M parameters in F16 and Q8_0, and the trained example. The plain passes run in a
// context of their own whose callback is asked about nodes but wants none. Prints a table on stderr, JSON on stdout.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { describeModel } from "../dist/api/stages/describe.js";
import { readGguf } from "../dist/gguf/read.js";
import { cacheWidth } from "../dist/model/cache-width.js";
import { openModel } from "../dist/model/model.js";
import { alternate, median, medianRatio, printTable, two } from "./measure.js";
import { resident } from "./processes.js";
import { scatteredTokens, writeRandomModel } from "./random-model.js";

const SEQUENCE = 512;
const RANDOM_TYPES = /** @type {const} */ (["f16", "q8_0"]);
const EXAMPLE = fileURLToPath(new URL("../examples/books-20l-q8_0.gguf", import.meta.url));

/** What a session over the model needs to be told. @param {string} path */
async function sessionOptions(path) {
  const { architecture } = await describeModel(path);
  return { sequenceLength: SEQUENCE, states: architecture.states };
}

/**
 * @param {string} path
 * @param {{ runs: number, tokens: number, threads: number }} options
 */
async function measureTime(path, { runs, tokens, threads }) {
  const model = await openModel(path, { gpu: "off", threads });
  const sequences = scatteredTokens(Math.ceil(tokens / SEQUENCE), SEQUENCE, model.info.vocabularySize);
  const options = await sessionOptions(path);
  const plain = model.openSession({ ...options, microBatch: SEQUENCE });
  const lanes = model.openLanes(options);
  const pass = async (/** @type {boolean} */ everyLogit) => {
    for (const sequence of sequences) await plain.time(sequence, SEQUENCE, everyLogit);
  };
  const things = {
    capture: () =>
      Promise.all(sequences.map((sequence) => lanes.run((session) => session.sumCosines(sequence)))),
    allLogits: () => pass(true),
    noLogits: () => pass(false),
  };
  await alternate(things, 1);
  const { capture, allLogits, noLogits } = await alternate(things, runs);
  const result = {
    lanes: lanes.count,
    microBatch: lanes.microBatch,
    parameters: model.info.parameters,
    tokens: sequences.length * SEQUENCE,
    seconds: {
      capture: median(capture.wall),
      allLogits: median(allLogits.wall),
      noLogits: median(noLogits.wall),
    },
    cpuSeconds: {
      capture: median(capture.cpu),
      allLogits: median(allLogits.cpu),
      noLogits: median(noLogits.cpu),
    },
    ratio: {
      allLogits: medianRatio(capture.wall, allLogits.wall),
      noLogits: medianRatio(capture.wall, noLogits.wall),
      allLogitsCpu: medianRatio(capture.cpu, allLogits.cpu),
      noLogitsCpu: medianRatio(capture.cpu, noLogits.cpu),
    },
  };
  lanes.close();
  plain.close();
  model.close();
  return result;
}

/** In a process of its own, whose peak is the capture's. @param {string} path @param {number} threads */
async function measureMemory(path, threads) {
  const model = await openModel(path, { gpu: "off", threads });
  const sequences = scatteredTokens(6, SEQUENCE, model.info.vocabularySize);
  const { layers, embeddingLength } = model.info;
  const options = await sessionOptions(path);
  const before = resident();
  const lanes = model.openLanes(options);
  await Promise.all(sequences.map((sequence) => lanes.run((session) => session.sumCosines(sequence))));
  const after = resident();
  const tokens = lanes.count * lanes.microBatch;
  const keysAndValues = 2 * lanes.count * SEQUENCE * cacheWidth(await readGguf(path));
  return {
    // Pages of the mapped model that are touched first by the capture are not extra.
    extraBytes: after.most - before.now - (after.files - before.files),
    keysAndValues,
    // The hidden states, a quarter more, and 64 MB; any pass needs the keys and values.
    bound: layers * tokens * embeddingLength * 4 * 1.25 + 64e6 + keysAndValues,
    processBytes: after.most,
    modelBytes: statSync(path).size,
  };
}

/** @param {{ models?: string[], runs?: number, tokens?: number, threads?: number }} options */
export async function benchCapture({
  models,
  runs = 7,
  tokens = 4096,
  threads = availableParallelism(),
} = {}) {
  const folder = mkdtempSync(join(tmpdir(), "lorp-bench-"));
  try {
    const random = RANDOM_TYPES.map((type) => ({ type, path: join(folder, `random-115M-${type}.gguf`) }));
    if (!models) for (const { type, path } of random) writeRandomModel(path, type);
    const rows = [];
    for (const path of models ?? [...random.map((model) => model.path), EXAMPLE]) {
      const self = fileURLToPath(import.meta.url);
      const measured = execFileSync(process.execPath, [self, "--memory", "--threads", `${threads}`, path], {
        encoding: "utf8",
      });
      /** @type {Awaited<ReturnType<typeof measureMemory>>} */
      const memory = JSON.parse(measured);
      const time = await measureTime(path, { runs, tokens, threads });
      rows.push({ model: basename(path), threads, ...time, memory });
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {Awaited<ReturnType<typeof benchCapture>>} rows */
export function printCapture(rows) {
  const megabytes = (/** @type {number} */ bytes) => `${Math.round(bytes / 1e6)} MB`;
  printTable([
    [
      "model",
      "capture s",
      "÷ all logits",
      "÷ no logits",
      "cpu ÷ all",
      "cpu ÷ none",
      "extra memory",
      "of it keys, values",
      "bound",
    ],
    ...rows.map(({ model, seconds, ratio, memory }) => [
      model,
      two(seconds.capture),
      ...[ratio.allLogits, ratio.noLogits, ratio.allLogitsCpu, ratio.noLogitsCpu].map(two),
      megabytes(memory.extraBytes),
      megabytes(memory.keysAndValues),
      megabytes(memory.bound),
    ]),
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const text = /** @type {const} */ ({ type: "string" });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { runs: text, tokens: text, threads: text, memory: { type: "boolean" } },
  });
  const threads = Number(values.threads ?? availableParallelism());
  if (values.memory) {
    console.log(JSON.stringify(await measureMemory(positionals[0] ?? EXAMPLE, threads)));
  } else {
    const rows = await benchCapture({
      ...(positionals.length > 0 && { models: positionals }),
      runs: Number(values.runs ?? 7),
      tokens: Number(values.tokens ?? 4096),
      threads,
    });
    printCapture(rows);
    console.log(JSON.stringify(rows, null, 2));
  }
}
