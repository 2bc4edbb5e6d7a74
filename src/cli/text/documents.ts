import { localityOf } from "../../analysis/locality.ts";
import type { Analysis, Confidence } from "../../documents/analysis.ts";
import type { Plan } from "../../documents/plan.ts";
import type { Report } from "../../documents/report.ts";
import {
  formatDepth,
  formatLayers,
  formatPercent,
  formatTable,
  TEXT_WIDTH as WIDTH,
  wrapText,
} from "../../report/format.ts";
import {
  renderChanges,
  renderDepthStrip,
  renderHeatmap,
  renderSamples,
  renderVerdict,
  type TerminalStyle,
} from "../../report/terminal/index.ts";
import { describeText, isRuined } from "../../report/verdict.ts";
import { describePaired } from "./paired.ts";
import { purposeRemark } from "./purpose.ts";
import { describeRepair, describeRepaired, repairRemark } from "./repair.ts";

/** Documents as text for people, in at most 80 columns where a model's own names allow. */

/** @param style how to draw; nothing is drawn without */
export function describeAnalysis(analysis: Analysis, style?: TerminalStyle): string {
  const { model, settings, rls, k, layers, confidence } = analysis;
  const rows = layers.map(({ layer, cluster, redundancy, blockInfluence }) => [
    String(layer),
    String(cluster),
    redundancy?.toFixed(4) ?? "–",
    blockInfluence?.toFixed(4) ?? "–",
  ]);
  return [
    `${model.name ?? model.architecture ?? "model"}: ${formatDepth(model)}, measured on ${settings.tokens ?? "?"} tokens`,
    wrapText(locality(rls, k), WIDTH, "  "),
    ...(confidence ? [wrapText(describeConfidence(confidence), WIDTH, "  ")] : []),
    "",
    ...(style ? [renderHeatmap(analysis.similarity, style), ""] : []),
    formatTable([["layer", "cluster", "redundancy", "block influence"], ...rows]),
  ].join("\n");
}

/** How sure the choice of layers is, and what else it might be. */
function describeConfidence({ method, budget, settled, agreement, alternatives }: Confidence): string {
  const [other] = alternatives;
  const doubt = other ? `; next ${other.removedLayers.join(", ")} in ${formatPercent(other.share)}` : "";
  return `${settled ? "Settled" : "Not settled"}: ${method} removes the same ${budget} layers in ${formatPercent(agreement.layers)} of resamples${settled ? "" : doubt}`;
}

const REDUNDANCY = {
  local: "local",
  moderate: "between local and spread over the depth",
  spread: "spread over the depth",
} as const;

function locality(rls: number | null, k: number): string {
  if (rls === null)
    return `No finite locality score (the mean similarity is not positive): taken as local, ${k} clusters`;
  const where = REDUNDANCY[localityOf(rls).locality];
  return `Representation locality score ${rls.toFixed(3)}: redundancy ${where}; ${k} clusters`;
}

export function describePlan(plan: Plan): string {
  const { model, method, removals, removedLayers, passedOver, repair, measurements } = plan;
  const entry = (layers: readonly number[], text: string) =>
    wrapText(`  ${formatLayers(layers).padStart(3)}  ${text}`, WIDTH, " ".repeat(7));
  const texts = new Set(removals.map(({ text }) => text));
  // One reason for the whole set is said once.
  const lines =
    texts.size === 1
      ? [entry(removedLayers, removals[0]!.text)]
      : removals.map(({ layer, text }) => entry([layer], text));
  const kept = passedOver.map(({ layer, rule }) => entry([layer], `stays: ${rule}`));
  return [
    wrapText(
      `Remove ${removedLayers.length} of ${model.blockCount} layers${method === "named" ? "" : ` by ${method}`}: ${removedLayers.join(", ")}`,
      WIDTH,
      "  ",
    ),
    ...lines,
    ...(kept.length > 0 ? ["Held in place by the architecture:", ...kept] : []),
    ...describeRepaired(measurements?.sets ?? []),
    ...(repair ? [describeRepair(repair)] : []),
  ].join("\n");
}

/** @param style how to draw; nothing is drawn without */
export function describeReport(report: Report, style?: TerminalStyle): string {
  const { output, plan, analysis, verdict } = report;
  const cost = report.perplexity ?? report.embeddings;
  const measured = cost
    ? `Measured on ${cost.sequences} × ${cost.sequenceLength} tokens of ${describeText(cost.text.name)} that the analysis did not use.`
    : "Perplexity was not measured: the calibration text has no sequences left after the analysis.";
  const remark = cost && purposeRemark(cost.text.name, "--calibration");
  const judgement = verdict
    ? [renderVerdict(verdict.sentence, isRuined(verdict), style), ...describeReached(report)]
    : [];
  return [
    ...(isRuined(verdict) ? [...judgement, ""] : []),
    ...(style ? [drawReport(plan, analysis, style), ""] : []),
    describePlan(plan),
    "",
    renderChanges(report),
    "",
    wrapText(measured, WIDTH),
    ...(report.task
      ? [describePaired(`${report.task.name}, ${report.task.items} questions`, report.task.paired)]
      : []),
    ...(report.samples ? ["", renderSamples(report.samples), ""] : []),
    ...[remark, repairRemark(report)].flatMap((text) => (text ? [wrapText(text, WIDTH)] : [])),
    output ? `Wrote ${output.path}` : dryRun(report),
    ...(isRuined(verdict) ? [] : judgement),
  ].join("\n");
}

/** What else could go, where so many layers ruin the model. */
function describeReached({ reach, plan }: Report): string[] {
  if (!reach) return [];
  const { removedLayers, method, klDivergence } = reach;
  const count = removedLayers.length;
  const layers = `${count} ${count === 1 ? "layer" : "layers"} instead of ${plan.removedLayers.length}`;
  const text = `As far as measured, ${layers} do not ruin it: --remove ${count} (${formatLayers(removedLayers)} by ${method}: KL divergence ${klDivergence.toFixed(3)}).`;
  return [wrapText(text, WIDTH)];
}

function dryRun({ expected }: Report): string {
  const size = expected && expected.bytes === undefined ? " The cost is that before --quantize." : "";
  return `Nothing was written (--dry-run); the cost is measured with the layers skipped.${size}`;
}

/** The matrix, if the report has it, and the depth, with what was removed. */
function drawReport(plan: Plan, analysis: Report["analysis"], style: TerminalStyle): string {
  const removed = plan.removedLayers;
  const { blockCount } = plan.model;
  return [
    ...(analysis?.similarity ? [renderHeatmap(analysis.similarity, style, removed), ""] : []),
    renderDepthStrip({ blockCount, removed, clusters: analysis?.clusters }, style),
  ].join("\n");
}
