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
import { meanSimilarity } from "../dist/analysis/capture.js";
import { describeModel } from "../dist/api/stages/describe.js";
import { readGguf } from "../dist/gguf/read.js";
import { openModel } from "../dist/model/model.js";
import { quantizeGguf } from "../dist/surgery/quantize.js";
import { alternate, median, medianRatio, printTable, two } from "./measure.js";
import { scatteredTokens, writeRandomModel } from "./random-model.js";

/** @import { SimilarityMatrix } from "../dist/documents/analysis.js" */

const LENGTH = 512;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "7" },
    sequences: { type: "string", default: "32" },
    threads: { type: "string", default: String(availableParallelism()) },
  },
});
const [runs, count, threads] = [Number(values.runs), Number(values.sequences), Number(values.threads)];

const folder = mkdtempSync(join(tmpdir(), "lorp-bench-"));
try {
  const [half, others] = await models();
  const sequences = scatteredTokens(count, LENGTH, await vocabularySize(half));
  const pytorch = await startPyTorch(half, writeTokens(sequences));
  /** @type {Record<string, () => Promise<SimilarityMatrix>>} */
  const captures = {};
  const closing = [pytorch.close];
  for (const path of [half, ...others]) {
    const { architecture } = await describeModel(path);
    const model = await openModel(path, { gpu: "off", threads });
    const lanes = model.openLanes({ sequenceLength: LENGTH, states: architecture.states });
    closing.push(() => {
      lanes.close();
      model.close();
    });
    captures[basename(path)] = async () => {
      const sums = await Promise.all(
        sequences.map((sequence) => lanes.run((session) => session.sumCosines(sequence))),
      );
      return meanSimilarity(sums.map((sums) => ({ sums, tokens: LENGTH })));
    };
  }
  // The first runs warm up, and show that all measure the same.
  const expected = await pytorch.run();
  /** @type {Record<string, number>} */
  const differences = {};
  for (const [name, capture] of Object.entries(captures)) {
    differences[name] = largestDifference(await capture(), expected);
  }
  const times = await alternate({ PyTorch: pytorch.run, ...captures }, runs);
  const reference = times.PyTorch?.wall ?? [];
  const rows = Object.entries(times).map(([name, { wall }]) => ({
    name,
    seconds: median(wall),
    ratio: medianRatio(wall, reference),
    difference: differences[name] ?? 0,
  }));
  printTable([
    ["capture and similarity", "seconds", "÷ PyTorch", "largest difference of S"],
    ...rows.map(({ name, seconds, ratio, difference }) => [
      name,
      two(seconds),
      two(ratio),
      difference.toExponential(1),
    ]),
  ]);
  console.log(JSON.stringify({ tokens: count * LENGTH, threads, rows }, null, 2));
  for (const close of closing) close();
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(0);

/**
 * The model that PyTorch reads, and the others: by default random weights in F16, and the same in Q8_0.
 * @returns {Promise<[string, string[]]>}
 */
async function models() {
  const [first, ...others] = positionals;
  if (first !== undefined) return [first, others];
  const [half, quantised] = [join(folder, "random-115M-f16.gguf"), join(folder, "random-115M-q8_0.gguf")];
  writeRandomModel(half, "f16");
  await quantizeGguf(half, quantised, "Q8_0", { threads, gpu: "off" });
  return [half, [quantised]];
}

/** @param {string} path */
async function vocabularySize(path) {
  const { tensors } = await readGguf(path);
  const size = tensors.find(({ name }) => name === "token_embd.weight")?.shape[1];
  if (size === undefined) throw new Error(`${path} has no embeddings of tokens`);
  return size;
}

/** @param {readonly Int32Array[]} sequences @returns the file */
function writeTokens(sequences) {
  const path = join(folder, "tokens");
  writeFileSync(path, Int32Array.from(sequences.flatMap((sequence) => [...sequence])));
  return path;
}

/** @param {string} path @param {string} tokens the file of all sequences */
async function startPyTorch(path, tokens) {
  const { metadata, tensors } = await readGguf(path);
  const told = (/** @type {string} */ key) => metadata.get(`llama.${key}`)?.decode().value;
  const heads = told("attention.head_count");
  const job = {
    model: path,
    threads,
    tokens,
    sequenceLength: LENGTH,
    blocks: told("block_count"),
    heads,
    kvHeads: told("attention.head_count_kv") ?? heads,
    epsilon: told("attention.layer_norm_rms_epsilon"),
    ropeBase: told("rope.freq_base") ?? 10_000,
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
    /** @returns {Promise<SimilarityMatrix>} */
    run: async () => {
      child.stdin.write("run\n");
      return JSON.parse((await answers.next()).value).similarity;
    },
    close() {
      child.stdin.end();
    },
  };
}

/** Above the diagonal. @param {SimilarityMatrix} mine @param {SimilarityMatrix} other */
function largestDifference(mine, other) {
  const differences = mine.flatMap((row, i) =>
    row.slice(i + 1).map((value, j) => Math.abs(value - (other[i]?.[i + 1 + j] ?? Number.NaN))),
  );
  return Math.max(...differences);
}
