/**
 * Measures on the trained example model what compensation gives back of what removal costs, and prints
 * docs/compensation.md's tables:
 *
 *   npm run build && node bench/compensation.js CALIBRATION.txt TEXT1 TEXT2 MODEL.gguf…
 *
 * Factors are found on the first windows of the calibration text, accepted or not on the following ones, and judged by
 * the first windows of the other texts. METHODS, BUDGETS, SEQUENCES and TEXT_SEQUENCES can be set by environment
 * variables.
 */
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { completeAnalysis } from "../dist/analysis/complete.js";
import { describeArchitecture } from "../dist/architecture/architecture.js";
import { compensate } from "../dist/compensation/compensate.js";
import { streamRule } from "../dist/compensation/writers.js";
import { readGguf } from "../dist/gguf/read.js";
import { openModel } from "../dist/model/model.js";
import { makePlan } from "../dist/selection/plan.js";

const [calibrationPath, ...rest] = process.argv.slice(2);
const texts = rest.slice(0, 2);
const models = rest.slice(2);
if (models.length === 0) {
  throw new Error("usage: node bench/compensation.js CALIBRATION.txt TEXT1 TEXT2 MODEL.gguf…");
}
const list = (name, otherwise) => (process.env[name] ?? otherwise).split(",");
const METHODS = list("METHODS", "lorp,shortgpt,streamline");
const BUDGETS = list("BUDGETS", "2,3,4,5,6,7,8").map(Number);
const SEQUENCES = Number(process.env.SEQUENCES ?? 8);
const TEXT_SEQUENCES = Number(process.env.TEXT_SEQUENCES ?? 8);
const THREADS = Number(process.env.THREADS ?? 1);
const LENGTH = 512;
const MODES = ["off", "magnitude", "fit"];

const results = [];
for (const path of models) results.push(...(await measureModel(path)));
if (process.env.JSON_OUTPUT) await writeFile(process.env.JSON_OUTPUT, JSON.stringify(results));
process.stdout.write(tables(results));
process.exit(0);

async function measureModel(path) {
  const { name, states } = describeArchitecture(await readGguf(path));
  const model = await openModel(path, { gpu: "off", threads: THREADS });
  const session = model.openSession({ sequenceLength: LENGTH, states });
  const original = model.openSession({ sequenceLength: LENGTH, states });
  const windows = async (file, from, count) => {
    const tokens = await model.tokenize(await readFile(file, "utf8"));
    return Array.from({ length: count }, (_, i) =>
      tokens.slice((from + i) * LENGTH, (from + i + 1) * LENGTH),
    );
  };
  const calibration = await windows(calibrationPath, 0, SEQUENCES);
  const heldBack = await windows(calibrationPath, SEQUENCES, SEQUENCES);
  const judged = await Promise.all(texts.map((text) => windows(text, 0, TEXT_SEQUENCES)));
  const loss = async (sequences, skip, factors) => {
    let sum = 0;
    let count = 0;
    for (const tokens of sequences) {
      const { logProb } = await session.score(tokens, { skip, factors });
      sum -= logProb.reduce((total, value) => total + value, 0);
      count += logProb.length;
    }
    return sum / count;
  };
  const analysis = completeAnalysis({
    schemaVersion: 1,
    model: { blockCount: model.info.layers },
    similarity: await similarityOf(session, calibration, model.info.layers),
  });
  const whole = [];
  for (const sequences of judged) whole.push(await loss(sequences, [], []));
  const rows = [];
  const known = new Map();
  for (const method of METHODS) {
    for (const budget of BUDGETS) {
      const { removedLayers: removed } = makePlan(analysis, { method, budget });
      const key = removed.join();
      if (!known.has(key)) known.set(key, await measureRemoval(removed));
      rows.push({ model: basename(path), method, budget, removed, whole, ...known.get(key) });
      process.stderr.write(`${JSON.stringify(rows.at(-1))}\n`);
    }
  }
  session.close();
  original.close();
  model.close();
  return rows;

  async function measureRemoval(removed) {
    const request = {
      rule: streamRule(name),
      session,
      original,
      blockCount: model.info.layers,
      removed,
      calibration,
      heldBack,
    };
    const losses = {};
    let accepted = false;
    for (const mode of MODES) {
      const found = mode === "off" ? null : await compensate(mode, request);
      if (mode === "fit") accepted = found !== null;
      losses[mode] = [];
      for (const sequences of judged) losses[mode].push(await loss(sequences, removed, found?.factors ?? []));
    }
    return { losses, accepted };
  }
}

async function similarityOf(session, sequences, layers) {
  const sums = new Float64Array(layers * layers);
  let tokens = 0;
  for (const sequence of sequences) {
    const part = await session.sumCosines(sequence);
    part.forEach((value, i) => {
      sums[i] += value;
    });
    tokens += sequence.length;
  }
  return Array.from({ length: layers }, (_, i) =>
    Array.from({ length: layers }, (_, j) =>
      i === j ? 1 : sums[Math.min(i, j) * layers + Math.max(i, j)] / tokens,
    ),
  );
}

/** For each model and text: perplexities, and the mean share of the lost nats that each mode gives back. */
function tables(rows) {
  const sections = [];
  for (const model of new Set(rows.map((row) => row.model))) {
    texts.forEach((text, t) => {
      const of = rows.filter((row) => row.model === model);
      const lines = of.map(({ method, budget, losses, accepted }) => {
        const [off, magnitude, fit] = MODES.map((mode) => Math.exp(losses[mode][t]).toFixed(2));
        return `| ${method} | ${budget} | ${off} | ${magnitude} | ${fit}${accepted ? "" : " (off)"} |`;
      });
      const geometricMean = (mode) =>
        Math.exp(of.reduce((sum, { losses }) => sum + losses[mode][t], 0) / of.length).toFixed(3);
      const lost = (mode) => of.reduce((sum, { losses, whole }) => sum + losses[mode][t] - whole[t], 0);
      const back = (mode) => `${((1 - lost(mode) / lost("off")) * 100).toFixed(1)} %`;
      sections.push(
        [
          `### ${model}, ${basename(text)}`,
          "",
          "| method | layers | off | magnitude | fit |",
          "|---|---|---|---|---|",
          ...lines,
          `| geometric mean | | ${MODES.map(geometricMean).join(" | ")} |`,
          `| given back | | | ${back("magnitude")} | ${back("fit")} |`,
          "",
        ].join("\n"),
      );
    });
  }
  return `${sections.join("\n")}\n`;
}
