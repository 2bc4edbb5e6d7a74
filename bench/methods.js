/**
 * Measures every method at budgets 2…8 on the trained example model and prints docs/results/methods.md's tables:
 *
 *   npm run build && node bench/methods.js MODEL.gguf BOOKS.txt TEXT…
 *
 * The second half of BOOKS.txt is the calibration text; the first windows of BOOKS.txt and of each further text are
 * what the methods are judged by. Nothing that is judged by was used to choose.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare } from "../dist/index.js";
import { two, usage } from "./measure.js";

const need = () => usage("methods.js MODEL.gguf BOOKS.txt TEXT…");
const [model = need(), books = need(), ...texts] = process.argv.slice(2);

const BUDGETS = (process.env.BUDGETS ?? "2,3,4,5,6,7,8").split(",").map(Number);
const folder = await mkdtemp(join(tmpdir(), "lorp-bench-"));
try {
  const calibration = join(folder, "calibration.txt");
  const whole = await readFile(books, "utf8");
  await writeFile(calibration, whole.slice(whole.length / 2));
  let said = 0;
  const comparison = await compare(model, {
    calibration,
    sequences: Number(process.env.SEQUENCES ?? 12),
    remove: BUDGETS,
    text: [books, ...texts],
    textSequences: Number(process.env.TEXT_SEQUENCES ?? 8),
    ...(process.env.EVALUATIONS && { evaluations: Number(process.env.EVALUATIONS) }),
    divergence: false,
    gpu: "off",
    onProgress: ({ stage, done, total }) => {
      if (performance.now() - said < 10_000) return;
      said = performance.now();
      process.stderr.write(`${stage} ${done}/${total}\n`);
    },
  });
  process.stdout.write(tables(comparison));
  if (process.env.JSON_OUTPUT) await writeFile(process.env.JSON_OUTPUT, JSON.stringify(comparison));
} finally {
  await rm(folder, { recursive: true });
}

/**
 * One Markdown table a text: a row a method, a column a budget, the best of a column bold.
 * @param {import("../dist/index.js").Comparison} comparison
 */
function tables({ texts: measured, candidates }) {
  const methods = [...new Set(candidates.map(({ method }) => method))];
  return measured
    .map(({ name, sequences, sequenceLength, original }, text) => {
      const value = (/** @type {string} */ method, /** @type {number} */ budget) =>
        candidates.find((candidate) => candidate.method === method && candidate.budget === budget)?.measures[
          text
        ]?.perplexity ?? Number.POSITIVE_INFINITY;
      const best = BUDGETS.map((budget) => Math.min(...methods.map((method) => value(method, budget))));
      const rows = methods.map((method) => {
        const cells = BUDGETS.map((budget, column) => {
          const perplexity = value(method, budget);
          const shown = Number.isFinite(perplexity) ? two(perplexity) : "–";
          return perplexity === best[column] ? `**${shown}**` : shown;
        });
        return `| \`${method}\` | ${cells.join(" | ")} |`;
      });
      return [
        `### ${name}: ${sequences} × ${sequenceLength} tokens, ${two(original.perplexity)} as it is`,
        "",
        `| method | ${BUDGETS.join(" | ")} |`,
        `|---|${BUDGETS.map(() => "--:|").join("")}`,
        ...rows,
        "",
      ].join("\n");
    })
    .join("\n");
}
