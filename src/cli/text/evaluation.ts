import type { Candidate } from "../../api/compare.ts";
import type { Evaluation } from "../../api/evaluate.ts";
import type { Resources } from "../../api/stages/resources.ts";
import type { EvaluatedTask, EvaluatedText, TaskMeasures } from "../../api/stages/score.ts";
import type { Comparison } from "../../documents/comparison.ts";
import type { Accuracy, Rule } from "../../evaluation/accuracy.ts";
import {
  formatBytes,
  formatDepth,
  formatLayers,
  formatPercent,
  formatPerplexity,
  formatTable,
  TEXT_WIDTH,
  wrapText,
} from "../../report/format.ts";
import { bestBy, describeWinners, nameVariant, RESOURCES, type Variant } from "../../report/frontier.ts";
import { renderSamples, renderVerdict, type TerminalStyle } from "../../report/terminal/index.ts";
import { describeReach, isRuined } from "../../report/verdict.ts";
import { describePaired } from "./paired.ts";
import { purposeRemark } from "./purpose.ts";

/** What was measured of a model, as text for people. */
export function describeEvaluation(
  { model, base, skippedLayers, ...measured }: Evaluation,
  style?: TerminalStyle,
): string {
  const without = skippedLayers.length > 0 ? ` without layers ${formatLayers(skippedLayers)}` : "";
  const { texts, tasks, resources, samples } = measured;
  const judged = texts.flatMap(({ name, verdict }) => (verdict ? [{ name, verdict }] : []));
  const said = judged.map(({ name, verdict }) => {
    const text = texts.length > 1 ? `On ${name}: ${verdict.sentence}` : verdict.sentence;
    return { ruined: isRuined(verdict), line: renderVerdict(text, isRuined(verdict), style) };
  });
  const first = said.filter(({ ruined }) => ruined).map(({ line }) => line);
  const last = said.filter(({ ruined }) => !ruined).map(({ line }) => line);
  const remark = judged.flatMap(({ name }) => purposeRemark(name, "--text") ?? []);
  return [
    ...(first.length > 0 ? [...first, ""] : []),
    `${model}${without}${base === null ? "" : `, against ${base}`}`,
    ...(texts.length > 0 ? ["", describeTexts(texts)] : []),
    ...(tasks.length > 0 ? ["", describeTasks(tasks)] : []),
    ...(resources.length > 0 ? ["", describeResources(resources)] : []),
    ...(samples ? ["", renderSamples(samples)] : []),
    ...(remark.length + last.length > 0 ? ["", ...remark, ...last] : []),
  ].join("\n");
}

function describeTexts(texts: readonly EvaluatedText[]): string {
  const rows = texts.map(({ name, sequences, sequenceLength, perplexity, standardError, bitsPerByte }) => [
    name,
    `${sequences} × ${sequenceLength}`,
    withError(perplexity, standardError),
    bitsPerByte.toFixed(4),
  ]);
  const table = formatTable([["text", "tokens", "perplexity", "bits a byte"], ...rows]);
  const compared = texts.flatMap(({ name, base }) => (base ? [{ name, base }] : []));
  if (compared.length === 0) return table;
  const differences = compared.map(({ name, base }) => [
    name,
    withError(base.perplexity, base.standardError),
    `× ${base.perplexityRatio.toFixed(4)}`,
    formatPercent(base.topAgreement),
  ]);
  const divergences = compared.map(({ name, base: { klDivergence: kl } }) => [
    name,
    ...[kl.mean, kl.median, kl.q90, kl.q99, kl.q999, kl.maximum].map((value) => value.toFixed(4)),
  ]);
  return [
    table,
    formatTable([["the base", "perplexity", "now", "same top token"], ...differences]),
    formatTable([["KL divergence", "mean", "median", "90 %", "99 %", "99.9 %", "most"], ...divergences]),
  ].join("\n\n");
}

function withError(value: number, standardError: number | null): string {
  return standardError === null
    ? formatPerplexity(value)
    : `${formatPerplexity(value)} ± ${formatPerplexity(standardError)}`;
}

const RULES: readonly (readonly [Rule, string])[] = [
  ["raw", "right"],
  ["normalized", "right, length-normalised"],
  ["matched", "matched"],
];

function describeTasks(tasks: readonly EvaluatedTask[]): string {
  const share = (accuracy: Accuracy | undefined) =>
    accuracy
      ? `${formatPercent(accuracy.accuracy)} (${formatPercent(accuracy.interval[0])} to ${formatPercent(accuracy.interval[1])})`
      : "–";
  const rules = RULES.filter(([rule]) => tasks.some((task) => task[rule]));
  const row = (name: string, measures: TaskMeasures) => [
    name,
    String(measures.items),
    ...rules.map(([rule]) => share(measures[rule])),
  ];
  const rows = tasks.flatMap((task) => [
    row(task.name, task),
    ...(task.base ? [row("  the base", task.base)] : []),
  ]);
  return [
    formatTable([["task", "items", ...rules.map(([, title]) => title)], ...rows]),
    ...tasks.flatMap(({ name, paired }) =>
      paired
        ? RULES.flatMap(([rule]) => paired[rule] ?? [])
            .slice(0, 1)
            .map((items) => describePaired(name, items))
        : [],
    ),
  ].join("\n");
}

function describeResources(resources: readonly Resources[]): string {
  const rows = resources.map(({ path, fileBytes, memoryBytes, tokensPerSecond: { prompt, generation } }) => [
    path,
    formatBytes(fileBytes),
    formatBytes(memoryBytes),
    `${prompt.toFixed(1)}/s`,
    `${generation.toFixed(1)}/s`,
  ]);
  return formatTable([["file", "size", "memory", "prompt", "generation"], ...rows]);
}

/** A Comparison as tables, and how far one can go. */
export function describeComparison(comparison: Comparison): string {
  const { model, texts, candidates } = comparison;
  const reach = describeReach(comparison);
  return [
    `${model.name ?? "model"}: ${formatDepth(model)}`,
    ...(new Set(candidates.map(({ method }) => method)).size > 1
      ? pivots(comparison)
      : texts.map((_, index) => frontier(comparison, index))),
    ...(reach ? [renderVerdict(reach, false)] : []),
    ...describeVariants(comparison),
  ].join("\n\n");
}

/** One row for each number of layers: what it saves, and what it costs on one of the texts. */
function frontier({ model, texts, candidates }: Comparison, index: number): string {
  const { name, sequences, sequenceLength, original } = texts[index]!;
  const size = (bytes: number | undefined) => (bytes === undefined ? "–" : formatBytes(bytes));
  const rows = candidates.map(({ budget, removedLayers, bytes, speedup, measures }) => {
    const { perplexity, klDivergence, topAgreement, verdict } = measures[index]!;
    return [
      String(budget),
      formatLayers(removedLayers),
      size(bytes),
      speedup === undefined ? "–" : `× ${speedup.toFixed(2)}`,
      formatPerplexity(perplexity),
      klDivergence?.toFixed(3) ?? "–",
      topAgreement === undefined ? "–" : formatPercent(topAgreement),
      verdict?.grade ?? "–",
    ];
  });
  return [
    `${name}, ${sequences} × ${sequenceLength} tokens; speed is estimated by the weights that a token is multiplied with`,
    formatTable([
      ["remove", "layers", "size", "speed", "perplexity", "KL", "same top", "verdict"],
      ["0", "", size(model.fileBytes), "", formatPerplexity(original.perplexity), "", "", ""],
      ...rows,
    ]),
  ].join("\n");
}

/** Removals and types of quantisation on one frontier, and what wins where. */
function describeVariants({ variants = [], typesLeftOut }: Comparison): string[] {
  const left = typesLeftOut === undefined ? [] : [wrapText(typesLeftOut, TEXT_WIDTH)];
  if (!variants.some(({ type }) => type !== null)) return left;
  const best = RESOURCES.map((resource) => new Set(bestBy(variants, resource)));
  const rows = variants.map((variant) => {
    const { klDivergence } = variant.measures[0]!;
    return [
      nameVariant(variant),
      ...RESOURCES.map(({ format }, index) => `${best[index]!.has(variant) ? "* " : ""}${format(variant)}`),
      klDivergence?.toFixed(4) ?? "–",
    ];
  });
  return [
    [
      formatTable([["", ...RESOURCES.map(({ name }) => name), "KL"], ...rows]),
      wrapText(
        "* no other loses less and takes less. The cache is that of one token. Types alone are timed beside the original; what removed layers save of time is estimated by their weights.",
        TEXT_WIDTH,
      ),
    ].join("\n"),
    describeWinners(variants)
      .map((sentence) => wrapText(sentence, TEXT_WIDTH, "  "))
      .join("\n"),
    ...left,
  ];
}

/** What was measured of one variant, in a line, for those who wait. */
export function describeVariant(variant: Variant): string {
  const { klDivergence = 0, verdict } = variant.measures[0]!;
  return `${nameVariant(variant)}: KL divergence ${klDivergence.toFixed(4)}, ${verdict?.grade}`;
}

/** What was measured of one number of layers, in a line, for those who wait. */
export function describeCandidate({ method, removedLayers, measures }: Candidate): string {
  const { perplexity, klDivergence, verdict } = measures[0]!;
  const cost =
    klDivergence === undefined
      ? `perplexity ${formatPerplexity(perplexity)}`
      : `KL divergence ${klDivergence.toFixed(3)}, ${verdict!.grade}`;
  return `${removedLayers.length} by ${method}, ${formatLayers(removedLayers)}: ${cost}`;
}

/** For each text one row a number of layers, one column a method; then the layers. */
function pivots({ texts, candidates }: Comparison): string[] {
  const methods = [...new Set(candidates.map(({ method }) => method))];
  const budgets = [...new Set(candidates.map(({ budget }) => budget))];
  const diverged = candidates.some(({ measures }) => measures[0]?.klDivergence !== undefined);
  const find = (method: string, budget: number) =>
    candidates.find((candidate) => candidate.method === method && candidate.budget === budget);
  const tables = texts.map(({ name, sequences, sequenceLength, original }, index) => {
    const pivot = (value: (measure: (typeof candidates)[number]["measures"][number]) => string) =>
      formatTable([
        ["remove", ...methods],
        ...budgets.map((budget) => [
          String(budget),
          ...methods.map((method) => {
            const measure = find(method, budget)?.measures[index];
            return measure ? value(measure) : "–";
          }),
        ]),
      ]);
    return [
      `${name}, ${sequences} × ${sequenceLength} tokens; as it is: ${formatPerplexity(original.perplexity)}`,
      "perplexity",
      pivot(({ perplexity }) => formatPerplexity(perplexity)),
      ...(diverged
        ? [
            "mean KL divergence from the model as it is, nats",
            pivot(({ klDivergence }) => klDivergence?.toFixed(4) ?? "–"),
          ]
        : []),
    ].join("\n");
  });
  const choices = candidates.map(({ method, budget, removedLayers }) => [
    method,
    String(budget),
    formatLayers(removedLayers),
  ]);
  return [...tables, formatTable([["method", "remove", "layers"], ...choices])];
}
