// @ts-check
/**
 * Capture and similarity against the same measurement in PyTorch (float32, CPU), alternating. The two must agree.
 *
 *   npm run build && node bench/pytorch.js MODEL-F16.gguf [MODEL-OTHER.gguf…]
 *
 * PyTorch reads the first model, of the llama architecture in F16 or F32; the others are the same model quantised. The
 * interpreter is PYTHON (default: python3) and needs torch and numpy; PyTorch is no dependency of lorp. Without models,
 * random ones of 115 M parameters are used.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeModel } from "../dist/api/stages/describe.js";
import { readGguf } from "../dist/gguf/read.js";
import { openModel } from "../dist/model/model.js";
import { quantizeGguf } from "../dist/surgery/quantize.js";
import { alternate, median, medianRatio, printTable } from "./measure.js";
import { writeRandomModel } from "./random-model.js";

const LENGTH = 512;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "7" },
    sequences: { type: "string", default: "32" },
    threads: { type: "string", default: String(availableParallelism()) },
  },
});
const [runs, count, threads] = [values.runs, values.sequences, values.threads].map(Number);

const folder = mkdtempSync(join(tmpdir(), "lorp-bench-"));
try {
  const paths = positionals.length > 0 ? positionals : await randomModels();
  const { tokens, sequences } = writeTokens(await vocabularySize(paths[0]));
  const pytorch = await startPyTorch(paths[0], tokens);
  /** @type {Record<string, () => Promise<number[]>>} */
  const things = { PyTorch: pytorch.run };
  const closing = [pytorch.close];
  for (const path of paths) {
    const { architecture } = await describeModel(path);
    const model = await openModel(path, { gpu: "off", threads });
    const lanes = model.openLanes({ sequenceLength: LENGTH, states: architecture.states });
    closing.push(() => {
      lanes.close();
      model.close();
    });
    things[basename(path)] = async () => {
      const sums = await Promise.all(
        sequences.map((sequence) => lanes.run((session) => session.sumCosines(sequence))),
      );
      return sums[0].map((_, i) => sums.reduce((total, sum) => total + sum[i], 0) / (count * LENGTH));
    };
  }
  // The first runs warm up, and show that all measure the same.
  const similarities = {};
  for (const [name, thing] of Object.entries(things)) similarities[name] = await thing();
  const times = await alternate(things, runs);
  const rows = Object.entries(times).map(([name, { wall }]) => ({
    name,
    seconds: median(wall),
    ratio: medianRatio(wall, times.PyTorch.wall),
    difference: name === "PyTorch" ? 0 : largestDifference(similarities[name], similarities.PyTorch),
  }));
  printTable([
    ["capture and similarity", "seconds", "÷ PyTorch", "largest difference of S"],
    ...rows.map(({ name, seconds, ratio, difference }) => [
      name,
      seconds.toFixed(2),
      ratio.toFixed(2),
      difference.toExponential(1),
    ]),
  ]);
  console.log(JSON.stringify({ tokens: count * LENGTH, threads, rows }, null, 2));
  for (const close of closing) close();
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(0);

/** The same weights in F16 and in Q8_0. */
async function randomModels() {
  const [half, quantised] = ["f16", "q8_0"].map((type) => join(folder, `random-115M-${type}.gguf`));
  writeRandomModel(half, "f16");
  await quantizeGguf(half, quantised, "Q8_0", { threads, gpu: "off" });
  return [half, quantised];
}

async function vocabularySize(path) {
  const { tensors } = await readGguf(path);
  return tensors.find(({ name }) => name === "token_embd.weight").shape[1];
}

/** Scattered over the vocabulary. */
function writeTokens(vocabulary) {
  const all = Int32Array.from({ length: count * LENGTH }, (_, i) => (i * 40_503) % vocabulary);
  const path = join(folder, "tokens");
  writeFileSync(path, all);
  const sequences = Array.from({ length: count }, (_, i) => all.slice(i * LENGTH, (i + 1) * LENGTH));
  return { tokens: path, sequences };
}

async function startPyTorch(path, tokens) {
  const { metadata, tensors } = await readGguf(path);
  const number = (key, otherwise) => metadata.get(`llama.${key}`)?.decode().value ?? otherwise;
  const heads = number("attention.head_count");
  const job = {
    model: path,
    threads,
    tokens,
    sequenceLength: LENGTH,
    blocks: number("block_count"),
    heads,
    kvHeads: number("attention.head_count_kv", heads),
    epsilon: number("attention.layer_norm_rms_epsilon"),
    ropeBase: number("rope.freq_base", 10_000),
    tensors: Object.fromEntries(
      tensors.map(({ name, shape, typeName, byteLength, fileOffset }) => [
        name,
        { shape, type: typeName, offset: fileOffset, bytes: byteLength },
      ]),
    ),
  };
  const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
  const child = spawn(process.env.PYTHON ?? "python3", [script], { stdio: ["pipe", "pipe", "inherit"] });
  child.on("exit", (code) => {
    if (code) process.exit(code);
  });
  child.stdin.write(`${JSON.stringify(job)}\n`);
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    run: async () => {
      child.stdin.write("run\n");
      return JSON.parse((await answers.next()).value).similarity;
    },
    close: () => child.stdin.end(),
  };
}

/** @param {number[]} mine row-major, above the diagonal @param {number[][]} other */
function largestDifference(mine, other) {
  const blocks = other.length;
  let largest = 0;
  for (let i = 0; i < blocks; i++) {
    for (let j = i + 1; j < blocks; j++) {
      largest = Math.max(largest, Math.abs((mine[i * blocks + j] ?? Number.NaN) - other[i][j]));
    }
  }
  return largest;
}
