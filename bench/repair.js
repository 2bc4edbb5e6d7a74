/**
 * Measures what linear maps give back of what the removal of given layers took, on texts that nothing was fitted on:
 *
 *   npm run build && node bench/repair.js MODEL.gguf CALIBRATION.txt TEXT.txt…
 *
 * `-` as the calibration is lorp's own text. A row for each set of SETS ("13-15;13-18") without a repair and by each of
 * KINDS ("refit,bridge", or "auto"): the perplexity and the KL divergence from the original on each text, what share of
 * the lost loss and of the divergence is given back, the bytes that the file takes more, and the seconds that the fit
 * took. With RIDGE the maps are fitted with that λ and stored as TYPE ("Q8_0"), without choosing or judging anything.
 * SEQUENCES (to fit on), TEXT_SEQUENCES, THREADS and GPU (what computes: the CPU, if not "cuda") can be set so too. A row
 * is printed once it is measured; logits of the original are kept in FOLDER meanwhile.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describeModel } from "../dist/api/stages/describe.js";
import { openForCalibration } from "../dist/api/stages/open.js";
import { apply, evaluate, plan } from "../dist/index.js";
import { gapsOf } from "../dist/repair/gaps.js";
import { REPAIR_CHOICES, REPAIR_KINDS } from "../dist/repair/kinds.js";
import { chosenGpu, oneOf, percent, usage } from "./measure.js";

const need = () => usage("repair.js MODEL.gguf CALIBRATION.txt TEXT.txt…");
const [model = need(), text = need(), ...texts] = process.argv.slice(2);
if (texts.length === 0) need();
const {
  SETS = "13-15;13-18;12-20",
  KINDS = "refit,bridge",
  TEXT_SEQUENCES = "8",
  THREADS,
  SEQUENCES,
  RIDGE,
  TYPE = "Q8_0",
} = process.env;
const folder = process.env.FOLDER ?? (await mkdtemp(join(tmpdir(), "lorp-repair-")));
const run = { gpu: chosenGpu(), ...(THREADS && { threads: Number(THREADS) }) };
const calibration = {
  ...(text !== "-" && { calibration: text }),
  ...(SEQUENCES && { sequences: Number(SEQUENCES) }),
};
const described = await describeModel(model);
const fitted = RIDGE === undefined ? undefined : await textToFit();

const names = texts.flatMap((path) => {
  const name = basename(path).replace(/\.txt$/, "");
  return [`${name}: perplexity`, "KL", "loss back", "KL back"];
});
line(["layers", "repair", ...names, "bytes more", "seconds"]);
line(Array.from({ length: names.length + 4 }, () => "---"));
for (const layers of SETS.split(";")) {
  const removal = plan({ schemaVersion: 1, model: described.summary, similarity: [] }, { layers });
  const none = await measure(removal, "off");
  row(layers, "none", none, none);
  for (const kind of KINDS.split(",")) row(layers, kind, await measure(removal, kind), none);
}
if (process.env.FOLDER === undefined) await rm(folder, { recursive: true });
process.exit(0);

/** @typedef {{ whole: number, loss: number, kl: number }} OnText @typedef {{ bytes: number, seconds: number, texts: OnText[], kept: string }} Measured */

/**
 * @param {import("../dist/index.js").Plan} removal
 * @param {string} kind
 * @returns {Promise<Measured>}
 */
async function measure(removal, kind) {
  const output = join(folder, "pruned.gguf");
  const start = performance.now();
  const told = fitted && kind !== "off" ? { ...removal, repair: recipe(removal, kind, fitted) } : removal;
  const { bytes, repair } = await apply(model, told, {
    ...run,
    ...calibration,
    ...(!fitted && { repair: oneOf(kind, REPAIR_CHOICES) }),
    output,
    force: true,
  });
  const seconds = (performance.now() - start) / 1000;
  const { texts: on } = await evaluate(output, {
    ...run,
    against: model,
    text: texts,
    sequences: Number(TEXT_SEQUENCES),
    samples: false,
    baseCache: join(folder, "base"),
  });
  return {
    bytes,
    seconds,
    kept: repair ? (repair.kind ?? "nothing kept") : kind,
    texts: on.map(({ perplexity, base }) => {
      if (!base) throw new Error("the original was not measured");
      return {
        whole: Math.log(base.perplexity),
        loss: Math.log(perplexity),
        kl: base.klDivergence.mean,
      };
    }),
  };
}

/** What is fitted on, as a Plan's repair tells. */
async function textToFit() {
  const opened = await openForCalibration(described, { ...run, ...calibration });
  const { name, sha256, sequences } = await opened.fit();
  opened.close();
  return { calibration: { name, sha256 }, tokens: sequences.reduce((sum, { length }) => sum + length, 0) };
}

/**
 * A repair with λ and type as they are given.
 * @param {import("../dist/index.js").Plan} removal
 * @param {string} name
 * @param {Awaited<ReturnType<typeof textToFit>>} on
 */
function recipe({ removedLayers }, name, on) {
  const kind = oneOf(name, REPAIR_KINDS);
  const unknown = { features: 0, bytes: 0, divergence: 0 };
  const gaps = gapsOf(removedLayers).map(({ before }) => ({
    after: before,
    ridge: Number(RIDGE),
    type: TYPE,
    ...unknown,
  }));
  return {
    kind,
    ...on,
    heldBack: { divergence: 0, sequences: 0 },
    tried: [{ kind, gaps, divergence: 0, standardError: null }],
    refused: [],
  };
}

/**
 * @param {string} layers
 * @param {string} kind
 * @param {Measured} measured
 * @param {Measured} none
 */
function row(layers, kind, { bytes, seconds, texts: on, kept }, none) {
  line([
    layers,
    kept === kind || kind === "none" ? kind : `${kind}: ${kept}`,
    ...on.flatMap(({ loss, kl, whole }, index) => {
      const before = none.texts[index];
      return [
        `${Math.exp(loss).toFixed(2)} (${Math.exp(whole).toFixed(2)})`,
        kl.toFixed(3),
        ...(before === undefined || kind === "none"
          ? ["", ""]
          : [percent((before.loss - loss) / (before.loss - whole)), percent(1 - kl / before.kl)]),
      ];
    }),
    String(bytes - none.bytes),
    seconds.toFixed(0),
  ]);
}

/** @param {readonly string[]} cells */
function line(cells) {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}
