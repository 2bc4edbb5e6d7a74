// How much of a fixed run adaptive calibration needs, and whether the confidence it claims is borne out: on disjoint
// texts cut from one, for every number of layers to remove. Needs `npm run build` first.
//
//   node bench/adaptive.js MODEL TEXT [--texts N] [--sequences N]
//
// The full run of a text is all of its sequences (32 of 512 tokens unless given). Prints a table on stderr, JSON on
// stdout.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { assess, isCheckpoint } from "../dist/analysis/adaptive.js";
import { captureSimilarity, meanSimilarity } from "../dist/analysis/capture.js";
import { describeModel } from "../dist/api/stages/describe.js";
import { purposeOf } from "../dist/api/stages/purpose.js";
import { cutSequences, spreadOut } from "../dist/calibration/sequences.js";
import { openModel } from "../dist/model/model.js";
import { median, percent, printTable, usage } from "./measure.js";

/** @import { SequenceSums } from "../dist/analysis/capture.js" */
/** @import { Purpose } from "../dist/api/stages/purpose.js" */

const SEQUENCE = 512;

/**
 * What was measured of each sequence of the texts.
 * @param {string} path
 * @param {string} text
 * @param {number} texts
 * @param {number} sequences of each
 */
async function captureTexts(path, text, texts, sequences) {
  const { architecture } = await describeModel(path);
  const model = await openModel(path, { gpu: "off" });
  const tokens = await model.tokenize(readFileSync(text, "utf8"));
  // The texts lie evenly over the whole.
  const windows = cutSequences(tokens, { sequenceLength: SEQUENCE });
  const stride = Math.floor(windows.length / texts);
  if (stride < sequences)
    throw new Error(`${text} has ${windows.length} sequences, too few for ${texts} × ${sequences}`);
  const lanes = model.openLanes({ sequenceLength: SEQUENCE, states: architecture.states });
  const measured = [];
  for (let index = 0; index < texts; index++) {
    const own = windows.slice(index * stride, index * stride + sequences);
    measured.push((await captureSimilarity(lanes, spreadOut(own))).measured);
  }
  lanes.close();
  model.close();
  return measured;
}

/**
 * Measures as `analyze` does until the answer has settled.
 * @param {readonly SequenceSums[]} measured
 * @param {Purpose} purpose
 */
function runAdaptively(measured, purpose) {
  const outOf = measured.length;
  for (let n = 1; n <= outOf; n++) {
    if (!isCheckpoint(n)) continue;
    const first = measured.slice(0, n);
    const { settled, agreement } = assess(first, purpose.assessment(), { outOf, hurry: true });
    if (settled || n === outOf)
      return { sequences: n, claimed: agreement.layers, removed: answer(first, purpose) };
  }
  return { sequences: outOf, claimed: 1, removed: answer(measured, purpose) };
}

/** @param {readonly SequenceSums[]} measured @param {Purpose} purpose */
const answer = (measured, purpose) => purpose.assessment().decide(meanSimilarity(measured)).removed.join();

/** @param {{ model: string, text: string, texts?: number, sequences?: number }} options */
export async function benchAdaptive({ model, text, texts = 20, sequences = 32 }) {
  const { summary } = await describeModel(model);
  const captured = await captureTexts(model, text, texts, sequences);
  const budgets = Array.from({ length: Math.floor(summary.blockCount / 2) }, (_, index) => index + 1);
  const rows = budgets.map((remove) => {
    const purpose = purposeOf(summary, { remove });
    const runs = captured.map((measured) => ({
      ...runAdaptively(measured, purpose),
      full: answer(measured, purpose),
    }));
    return {
      remove,
      share: median(runs.map((run) => run.sequences)) / sequences,
      claimed: runs.reduce((sum, { claimed }) => sum + claimed, 0) / texts,
      right: runs.filter(({ removed, full }) => removed === full).length / texts,
      answers: new Set(runs.map(({ full }) => full)).size,
      sequences: runs.map((run) => run.sequences),
    };
  });
  const all = rows.flatMap((row) => row.sequences);
  const right = rows.reduce((sum, row) => sum + row.right, 0) / rows.length;
  const claimed = rows.reduce((sum, row) => sum + row.claimed, 0) / rows.length;
  return { texts, sequences, share: median(all) / sequences, claimed, right, budgets: rows };
}

/** @param {Awaited<ReturnType<typeof benchAdaptive>>} result */
export function printAdaptive({ share, claimed, right, budgets, texts }) {
  printTable([
    [
      "removed",
      "median share of the full run",
      "claimed",
      "as the full run",
      `answers of ${texts} full runs`,
    ],
    ...budgets.map((row) => [
      `${row.remove}`,
      ...[row.share, row.claimed, row.right].map((value) => percent(value, 1)),
      `${row.answers}`,
    ]),
    ["all", ...[share, claimed, right].map((value) => percent(value, 1)), ""],
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { texts: { type: "string" }, sequences: { type: "string" } },
  });
  const [model, text] = positionals;
  if (model === undefined || text === undefined) usage("adaptive.js MODEL TEXT");
  const { texts = "20", sequences = "32" } = values;
  const result = await benchAdaptive({ model, text, texts: Number(texts), sequences: Number(sequences) });
  printAdaptive(result);
  console.log(JSON.stringify(result, null, 2));
}
