import { basename } from "node:path";
import { localityOf } from "../analysis/locality.ts";
import type { Analysis } from "../documents/analysis.ts";
import type { Comparison } from "../documents/comparison.ts";
import type { ModelSummary } from "../documents/model.ts";
import type { Plan } from "../documents/plan.ts";
import type { Report } from "../documents/report.ts";
import {
  formatBytes,
  formatChange,
  formatCount,
  formatLayers,
  formatPercent,
  formatPerplexity,
  formatTokens,
} from "./format.ts";
import { repairMaps } from "./repair-maps.ts";
import { describeReach } from "./verdict.ts";

/** Every document that can be shown. */
export type Showable = Analysis | Plan | Report | Comparison;

/** An Analysis that may have been stored without its matrix. */
export type Measures = Omit<Analysis, "similarity"> & Partial<Pick<Analysis, "similarity">>;

/** What a document holds, whichever kind it is: the one form that the page and the terminal read. */
export interface View {
  readonly kind: "analysis" | "plan" | "report" | "comparison";
  readonly title: string;
  /** One or two sentences that say the result. */
  readonly summary: string;
  /** What the measured cost means, in a sentence, where it was measured. */
  readonly judgement?: string | undefined;
  readonly model: Omit<ModelSummary, "constraints">;
  readonly analysis?: Measures | undefined;
  readonly plan?: Plan | undefined;
  readonly report?: Report | undefined;
  readonly comparison?: Comparison | undefined;
  readonly command?: string | undefined;
  readonly lorpVersion?: string | undefined;
}

export function viewOf(document: Showable): View {
  const { lorpVersion } = document;
  if ("candidates" in document) {
    const { model, analysis, command } = document;
    return {
      kind: "comparison",
      model,
      analysis,
      comparison: document,
      command,
      lorpVersion,
      title: titleOf(model),
      summary: comparisonSummary(document),
      judgement: describeReach(document),
    };
  }
  if ("plan" in document) {
    const { plan, analysis, command } = document;
    return {
      kind: "report",
      model: plan.model,
      analysis,
      plan,
      report: document,
      command,
      lorpVersion,
      title: plan.model.name ?? basename(document.input.path),
      summary: reportSummary(document),
      judgement: document.verdict?.sentence,
    };
  }
  if ("removals" in document) {
    const { model } = document;
    return {
      kind: "plan",
      model,
      plan: document,
      lorpVersion,
      title: titleOf(model),
      summary: `${planSummary(document)}.`,
    };
  }
  const { model } = document;
  return {
    kind: "analysis",
    model,
    analysis: document,
    lorpVersion,
    title: titleOf(model),
    summary: analysisSummary(document),
  };
}

const titleOf = (model: View["model"]) => model.name ?? model.architecture ?? "Model";

const RESEMBLANCE = {
  local: "their neighbours' only",
  moderate: "each other over moderate distances",
  spread: "each other across the depth of the model",
} as const;

function analysisSummary({ rls, k, model }: Analysis): string {
  const locality =
    rls === null
      ? "On average its layers' inputs do not resemble each other at all, so it counts as local"
      : `Its layers' inputs resemble ${RESEMBLANCE[localityOf(rls).locality]}`;
  const score = rls === null ? "" : `: RLS ${rls.toFixed(3)}`;
  return `${locality}${score}. LoRP looks for removable layers in ${k} clusters of its ${model.blockCount} layers.`;
}

function planSummary({ method, model, removedLayers }: Plan): string {
  if (removedLayers.length === 0) return `None of the ${model.blockCount} layers goes`;
  const chosen = method === "named" ? "named by hand" : `chosen by ${method}`;
  const noun = removedLayers.length === 1 ? "layer goes" : "layers go";
  return `${removedLayers.length} of ${model.blockCount} ${noun}, ${chosen}: ${formatLayers(removedLayers)}`;
}

function reportSummary({ plan, input, output, expected, perplexity, embeddings }: Report): string {
  const { bytes } = output ?? expected ?? {};
  const size =
    bytes === undefined
      ? []
      : [
          `The file ${output ? "goes" : "would go"} from ${formatBytes(input.bytes)} to ${formatBytes(bytes)} (${formatChange(input.bytes, bytes)}).`,
        ];
  const cost =
    perplexity === null
      ? []
      : [
          `Perplexity on held-back text goes from ${formatPerplexity(perplexity.original)} to ` +
            `${formatPerplexity(perplexity.pruned)} (${formatChange(perplexity.original, perplexity.pruned)}).`,
        ];
  const likeness = embeddings
    ? [
        `The embeddings of held-back text have a mean cosine of ${embeddings.cosine.toFixed(4)} with the original's.`,
      ]
    : [];
  return [`${planSummary(plan)}.`, ...size, ...cost, ...likeness].join(" ");
}

function comparisonSummary({ candidates, texts }: Comparison): string {
  const methods = new Set(candidates.map(({ method }) => method));
  const budgets = [...new Set(candidates.map(({ budget }) => budget))].toSorted((a, b) => a - b);
  const on = texts.length === 1 ? texts[0]!.name : `${texts.length} texts`;
  return `${methods.size} ${methods.size === 1 ? "method" : "methods"} at budgets ${formatLayers(budgets)}, measured on ${on}.`;
}

/** A thing that was measured, before and after; both as text. */
export interface Change {
  readonly label: string;
  /** undefined where the original is what is compared with. */
  readonly before: string | undefined;
  readonly after: string;
  readonly change: string;
}

/** What the removal changed, as far as it is known: layers, weights, file, perplexity, predictions. */
export function changes({ plan, report, model }: View): Change[] {
  if (plan === undefined) return [];
  const change = (
    label: string,
    before: number | undefined,
    after: number | undefined,
    format: (value: number) => string,
  ): Change[] =>
    before === undefined || after === undefined
      ? []
      : [
          {
            label,
            before: format(before),
            after: format(after),
            change: formatChange(before, after),
          },
        ];
  const { input, output, expected, perplexity, divergence, embeddings, speed, task } = report ?? {};
  const after = output ?? expected;
  const bridged = bridges(plan);
  const perSecond = (tokens: number) => `${formatTokens(tokens)}/s`;
  return [
    ...change(
      bridged > 0 ? "layers and bridges" : "layers",
      model.blockCount,
      plan.keptLayers.length + bridged,
      String,
    ),
    ...change("weights", input?.parameters, after?.parameters, formatCount),
    ...change("file size", input?.bytes, after?.bytes, formatBytes),
    ...change("prompt tokens", speed?.original.prompt, speed?.pruned.prompt, perSecond),
    ...change("generated tokens", speed?.original.generation, speed?.pruned.generation, perSecond),
    ...(expected
      ? [
          {
            label: "generated tokens",
            before: undefined,
            after: `× ${expected.speedup.toFixed(2)}`,
            change: "estimated",
          },
        ]
      : []),
    ...change("perplexity", perplexity?.original, perplexity?.pruned, formatPerplexity),
    ...change("cosine of embeddings", embeddings && 1, embeddings?.cosine, (value) => value.toFixed(4)),
    ...(divergence
      ? [
          {
            label: "KL divergence",
            before: undefined,
            after: divergence.klDivergence.toFixed(4),
            change: "nats a token",
          },
        ]
      : []),
    ...change("same top token", divergence && 1, divergence?.topAgreement, formatPercent),
    ...change("right answers", task?.original.accuracy, task?.pruned.accuracy, formatPercent),
  ];
}

/** Layers that were put in. */
function bridges({ repair }: Plan): number {
  return repair ? repairMaps(repair).bridges.length : 0;
}

/** The changes as rows of a table: label, original, pruned, change. */
export function changeRows(view: View): string[][] {
  return changes(view).map(({ label, before = "–", after, change }) => [label, before, after, change]);
}

/** What is needed to do the same again: label and value. */
export function provenance({ model, analysis, plan, report, lorpVersion }: View): [string, string][] {
  const settings = analysis?.settings;
  const calibration = settings?.calibration;
  const measured = report?.perplexity ?? report?.embeddings;
  const facts: [string, string | number | undefined][] = [
    ["lorp", lorpVersion],
    ["model", report?.input.path ?? model.name],
    ["fingerprint", model.fingerprint],
    ["architecture", model.architecture],
    ["parameters", model.parameters === undefined ? undefined : formatCount(model.parameters)],
    ["calibration text", calibration?.name],
    ["its SHA-256", calibration?.sha256],
    [
      "sequences",
      settings?.sequences && settings.sequenceLength
        ? `${settings.sequences} × ${settings.sequenceLength} tokens`
        : undefined,
    ],
    ["seed", settings?.seed ?? plan?.seed],
    ["clusters asked for", settings?.clusters],
    ["method", plan?.method],
    ["output", report?.output?.path],
    ["text of the cost", measured?.text.name],
    ["its sequences", measured && `${measured.sequences} × ${measured.sequenceLength} tokens`],
  ];
  return facts.flatMap(([label, value]) =>
    value === undefined || value === "" ? [] : [[label, String(value)]],
  );
}
