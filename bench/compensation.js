// @ts-check
/**
 * Measures on trained models what compensation gives back of what removal costs:
 *
 *   npm run build && node bench/compensation.js CALIBRATION.txt TEXT1.txt TEXT2.txt MODEL.gguf…
 *   node bench/compensation.js RESULTS.json…    # the tables again, of earlier runs together
 *
 * Factors are found on the first windows of the calibration text, those of `fit` are accepted or not on the following
 * ones, and all are judged by windows spread over the other texts. Says on stderr what it has done, and prints
 * docs/results/compensation.md's tables at the end. METHODS, BUDGETS, SEQUENCES, TEXT_SEQUENCES and THREADS can be set by
 * environment variables; JSON_OUTPUT names a file that keeps the numbers, written anew after each removal.
 */
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { completeAnalysis } from "../dist/analysis/complete.js";
import { describeArchitecture } from "../dist/architecture/architecture.js";
import { compensate, findFactors, helps } from "../dist/compensation/compensate.js";
import { streamRule } from "../dist/compensation/writers.js";
import { readGguf } from "../dist/gguf/read.js";
import { openModel } from "../dist/model/model.js";
import { makePlan } from "../dist/selection/plan.js";

/** @type {(name: string, otherwise: string) => string[]} */
const list = (name, otherwise) => (process.env[name] ?? otherwise).split(",");
const METHODS = list("METHODS", "lorp,shortgpt,streamline");
const BUDGETS = list("BUDGETS", "2,3,4,5,6,7,8").map(Number);
const SEQUENCES = Number(process.env.SEQUENCES ?? 4);
const TEXT_SEQUENCES = Number(process.env.TEXT_SEQUENCES ?? 6);
const THREADS = Number(process.env.THREADS ?? 1);
const LENGTH = 512;
/** The order that is hoped for, the best last. */
const MODES = /** @type {const} */ (["off", "magnitude", "fit"]);

/**
 * @typedef {Record<typeof MODES[number], number[]>} Losses nats a token on each text
 * @typedef {{
 *   model: string, texts: string[], method: string, budget: number, removed: number[],
 *   whole: number[], losses: Losses, accepted: boolean,
 * }} Row
 */

const paths = process.argv.slice(2);
/** @param {string} extension */
const named = (extension) => paths.filter((path) => path.endsWith(extension));
const [calibrationPath, ...texts] = named(".txt");
const models = named(".gguf");
/** @type {Row[]} */
const rows = [];
for (const path of named(".json")) rows.push(...JSON.parse(await readFile(path, "utf8")));
if (models.length > 0 ? texts.length !== 2 : rows.length === 0) {
  throw new Error("usage: node bench/compensation.js CALIBRATION.txt TEXT1.txt TEXT2.txt MODEL.gguf…");
}
for (const path of models) await measureModel(path);
process.stdout.write(`${report(rows)}\n`);
process.exit(0);

/** @param {string} path */
async function measureModel(path) {
  const { name, states } = describeArchitecture(await readGguf(path));
  const model = await openModel(path, { gpu: "off", threads: THREADS });
  const session = model.openSession({ sequenceLength: LENGTH, states });
  const original = model.openSession({ sequenceLength: LENGTH, states });
  /** @param {string} file */
  const windowsOf = async (file) => {
    const tokens = await model.tokenize(await readFile(file, "utf8"));
    return Array.from({ length: Math.floor(tokens.length / LENGTH) }, (_, i) =>
      tokens.slice(i * LENGTH, (i + 1) * LENGTH),
    );
  };
  const own = await windowsOf(/** @type {string} */ (calibrationPath));
  const request = {
    rule: streamRule(name),
    session: { ...session, stateNorms: once(session.stateNorms) },
    original,
    blockCount: model.info.layers,
    calibration: own.slice(0, SEQUENCES),
    heldBack: own.slice(SEQUENCES, 2 * SEQUENCES),
  };
  const judged = await Promise.all(texts.map(async (text) => spread(await windowsOf(text), TEXT_SEQUENCES)));
  /** @type {(skip: number[], factors: import("../dist/index.js").BlockFactors[]) => Promise<number[]>} */
  const judge = async (skip, factors) => {
    const losses = [];
    for (const sequences of judged) {
      let sum = 0;
      for (const tokens of sequences) {
        const { logProb } = await session.score(tokens, { skip, factors });
        sum -= logProb.reduce((total, value) => total + value, 0) / logProb.length;
      }
      losses.push(sum / sequences.length);
    }
    return losses;
  };
  /** @param {number[]} removed */
  const measureRemoval = async (removed) => {
    const off = await judge(removed, []);
    const magnitude = await judge(removed, await findFactors("magnitude", { ...request, removed }));
    const found = await compensate("fit", { ...request, removed });
    const accepted = helps(found);
    const fit = accepted ? await judge(removed, [...found.factors]) : off;
    return { losses: { off, magnitude, fit }, accepted };
  };

  const similarity = await similarityOf(session, request.calibration, request.blockCount);
  const analysis = completeAnalysis({
    schemaVersion: 1,
    model: { blockCount: request.blockCount },
    similarity,
  });
  const whole = await judge([], []);
  const known = new Map();
  for (const budget of BUDGETS) {
    for (const method of METHODS) {
      const removed = [...makePlan(analysis, { method, budget }).removedLayers];
      const key = removed.join();
      if (!known.has(key)) known.set(key, await measureRemoval(removed));
      const row = {
        model: basename(path),
        texts: texts.map((text) => basename(text)),
        method,
        budget,
        removed,
        whole,
        ...known.get(key),
      };
      rows.push(row);
      const minutes = (performance.now() / 60000).toFixed(1);
      console.error(`${minutes} min ${row.model} ${method} ${budget}: ${JSON.stringify(row.losses)}`);
      if (process.env.JSON_OUTPUT) await writeFile(process.env.JSON_OUTPUT, JSON.stringify(rows));
    }
  }
  session.close();
  original.close();
  model.close();
}

/**
 * Remembers what a function said of an object.
 * @template {object} Argument
 * @template Result
 * @param {(argument: Argument) => Result} ask
 */
function once(ask) {
  /** @type {WeakMap<Argument, Result>} */
  const answers = new WeakMap();
  return (/** @type {Argument} */ argument) => {
    const answer = answers.get(argument) ?? ask(argument);
    answers.set(argument, answer);
    return answer;
  };
}

/**
 * @template Item
 * @param {Item[]} items
 * @param {number} count of which as many are taken, evenly
 */
function spread(items, count) {
  const chosen = Math.min(count, items.length);
  return Array.from({ length: chosen }, (_, i) => items[Math.floor((i * items.length) / chosen)]);
}

/** @type {(session: import("../dist/model/model.js").Session, sequences: Int32Array[], layers: number) => Promise<number[][]>} */
async function similarityOf(session, sequences, layers) {
  const sums = new Float64Array(layers * layers);
  for (const sequence of sequences) {
    for (const [i, value] of (await session.sumCosines(sequence)).entries()) sums[i] += value;
  }
  const tokens = sequences.length * LENGTH;
  return Array.from({ length: layers }, (_, i) =>
    Array.from({ length: layers }, (_, j) =>
      i === j ? 1 : sums[Math.min(i, j) * layers + Math.max(i, j)] / tokens,
    ),
  );
}

/** @param {Row[]} all */
function report(all) {
  const names = [...new Set(all.map(({ model }) => model))];
  const order = (/** @type {Row} */ { method, budget }) => 100 * METHODS.indexOf(method) + budget;
  return names
    .map((name) => all.filter(({ model }) => model === name).sort((a, b) => order(a) - order(b)))
    .map((of) => [table(of), ...of[0].texts.map((text, t) => verdict(of, text, t))].join("\n"))
    .join("\n");
}

/** @param {Row[]} rows of one model */
function table(rows) {
  const { model, texts } = rows[0];
  const each = texts.map((_, t) => t);
  const cells = (/** @type {(text: number, mode: typeof MODES[number]) => string} */ cell) =>
    each.flatMap((t) => MODES.map((mode) => cell(t, mode))).join(" | ");
  return [
    `**${model}**`,
    "",
    `| method | layers | ${texts.map((text) => `${text}: off | magnitude | fit`).join(" | ")} |`,
    `|---|---|${each.map(() => "---|---|---|").join("")}`,
    ...rows.map(({ method, budget, losses, accepted }) => {
      const cell = (/** @type {number} */ t, /** @type {typeof MODES[number]} */ mode) =>
        `${Math.exp(losses[mode][t]).toFixed(2)}${mode === "fit" && !accepted ? " (not accepted)" : ""}`;
      return `| \`${method}\` | ${budget} | ${cells(cell)} |`;
    }),
    `| geometric mean | | ${cells((t, mode) => Math.exp(meanOf(rows, t, mode)).toFixed(2))} |`,
    `| loss given back | | ${cells((t, mode) => (mode === "off" ? "" : givenBack(rows, t, mode)))} |`,
    "",
  ].join("\n");
}

/** @type {(rows: Row[], text: number, mode: typeof MODES[number]) => number} */
function meanOf(rows, text, mode) {
  return rows.reduce((sum, { losses }) => sum + losses[mode][text], 0) / rows.length;
}

/** @type {(rows: Row[], text: number, mode: typeof MODES[number]) => string} */
function givenBack(rows, text, mode) {
  const whole = rows.reduce((sum, row) => sum + row.whole[text], 0) / rows.length;
  const share = 1 - (meanOf(rows, text, mode) - whole) / (meanOf(rows, text, "off") - whole);
  return `${(100 * share).toFixed(1)} %`.replace("-", "−");
}

/** Whether fit ≤ magnitude ≤ off, in the mean and in each row. @type {(rows: Row[], name: string, text: number) => string} */
function verdict(rows, name, text) {
  const pairs = /** @type {const} */ ([
    ["fit", "off"],
    ["fit", "magnitude"],
    ["magnitude", "off"],
  ]);
  return pairs
    .map(([better, worse]) => {
      const holds = meanOf(rows, text, better) <= meanOf(rows, text, worse);
      const against = rows.filter(({ losses }) => losses[better][text] > losses[worse][text]);
      const which = against.map(({ method, budget }) => `${method} ${budget}`).join(", ");
      const rest = which ? `; not for ${which}` : "; for every row";
      return `${name}: ${better} ≤ ${worse} ${holds ? "holds" : "FAILS"} in the geometric mean${rest}.`;
    })
    .join("\n");
}
