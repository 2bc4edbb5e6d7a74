import { basename } from "node:path";
import type { MendedGap, Repair } from "../documents/repair.ts";
import type { Report } from "../documents/report.ts";
import type { GgufFile } from "../gguf/types.ts";
import { formatLayers, formatPercent } from "../report/format.ts";
import { repairMaps } from "../report/repair-maps.ts";
import { describeText, isRuined } from "../report/verdict.ts";
import { changeRows, viewOf } from "../report/view.ts";
import { shellQuote } from "../shell-quote.ts";

export interface ModelCardInput {
  readonly report: Report;
  /** Of the original. */
  readonly metadata: GgufFile["metadata"];
  /** The Hub's repository that the original came from, if it did. */
  readonly repository?: string | undefined;
}

/**
 * A README.md for a repository of the Hugging Face Hub, with its metadata in front (source: the Hub's documentation,
 * "Model Cards"): what the model was made from and how, which layers went, and what that cost.
 */
export function modelCard({ report, metadata, repository }: ModelCardInput): string {
  const base = repository ?? hubRepository(metadata);
  const { plan, input, output, command, verdict } = report;
  const name = markdown(plan.model.name ?? basename(input.path).replace(/\.gguf$/, ""));
  const judged = verdict ? [`**${verdict.sentence}**`] : [];
  const sections = [
    `# ${name}, pruned to ${plan.keptLayers.length} of ${plan.model.blockCount} layers`,
    ...(isRuined(verdict) ? judged : []),
    `${base ? `[${name}](https://huggingface.co/${base})` : name} without ${plan.removedLayers.length} of its transformer layers. Nothing was trained. ${kept(report)} The layers were chosen by \`${plan.method}\`${source(plan.method)}.`,
    "## What it cost",
    ...(isRuined(verdict) ? [] : judged),
    table(["", "original", "pruned", "change"], changeRows(viewOf(report))),
    ...(report.perplexity ? [perplexityRemark(report.perplexity)] : []),
    "## What was removed",
    `Layers ${formatLayers(plan.removedLayers)}, counted from 0, in this order:`,
    plan.removals.map(({ layer, text }) => `1. layer ${layer}: ${text}`).join("\n"),
    ...(command ? ["## How it was made", code(command)] : []),
    ...(output ? ["## How to run it", code(`llama-cli -m ${shellQuote(basename(output.path))}`)] : []),
  ];
  return `${frontMatter(base, metadata)}\n${sections.join("\n\n")}\n`;
}

/** A text as Markdown that shows it on one line and means nothing else: no link, no image, no HTML. */
function markdown(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, " ").replace(/[\\`*_{}[\]<>&#|~!@]|:(?=\/\/)/g, "\\$&");
}

/** A block of shell commands, between fences that the text does not have. */
function code(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}sh\n${text}\n${fence}`;
}

/** What became of the layers that are left. */
function kept({ plan: { repair }, settings }: Report): string {
  const mended = repair ? repairSentence(repair) : undefined;
  const quantized = settings.quantize;
  const unchanged =
    typeof quantized === "string"
      ? `What is left was quantised to ${quantized.toUpperCase()} by llama.cpp.`
      : `Every ${mended ? "other " : ""}tensor that is left is the original's, byte for byte.`;
  return [...(mended ? [mended] : []), unchanged].join(" ");
}

/** What maps were put in, in a sentence; undefined where none is kept. */
function repairSentence(repair: Repair): string | undefined {
  const { kind, tried, heldBack } = repair;
  const chosen = tried.find((one) => one.kind === kind);
  if (!chosen) return undefined;
  const { bridges, refits } = repairMaps(repair);
  const layers = (maps: readonly MendedGap[]) =>
    `layer${maps.length === 1 ? "" : "s"} ${maps.map(({ after }) => after).join(", ")}`;
  const share = formatPercent(1 - chosen.divergence / heldBack.divergence);
  const put = `behind ${layers(bridges)} of the original a small layer was put that adds a linear map of its input, and the file became one of llama.cpp's architecture \`deci\``;
  const replaced = `the last matrix (\`ffn_down\`) of ${layers(refits)} was fitted anew`;
  const what = [...(bridges.length > 0 ? [put] : []), ...(refits.length > 0 ? [replaced] : [])].join("; ");
  return `To make up for them, ${what} (\`${kind}\`): on text that was not fitted that gave back ${share} of the KL divergence.`;
}

/** Where the method is described; the others are named by what they do. */
function source(method: string): string {
  return method === "lorp" ? " ([arXiv 2605.27786](https://arxiv.org/abs/2605.27786))" : "";
}

function frontMatter(base: string | undefined, metadata: GgufFile["metadata"]): string {
  const value = (key: string) => metadata.get(`general.${key}`)?.decode().value;
  const license = value("license");
  const languages = value("languages");
  const names = Array.isArray(languages) ? languages.filter((each) => typeof each === "string") : [];
  const lines = [
    // The Hub takes its own repositories alone.
    base
      ? `base_model: ${yaml(base)}`
      : "# base_model: user/repository  (the file does not say which it came from)",
    ...(typeof license === "string" ? [`license: ${yaml(license)}`] : []),
    ...(names.length > 0 ? [`language: ${yaml(names)}`] : []),
    "library_name: gguf",
    "pipeline_tag: text-generation",
    'tags: ["gguf", "pruned", "layer-pruning", "lorp"]',
  ];
  return `---\n${lines.join("\n")}\n---\n`;
}

/** A JSON text is YAML too, but for some characters that YAML does not take as they are. */
function yaml(value: string | readonly string[]): string {
  const written = (odd: string) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, written);
}

/** The repository that the file names as its own. */
function hubRepository(metadata: GgufFile["metadata"]): string | undefined {
  for (const key of ["general.repo_url", "general.url"]) {
    const url = metadata.get(key)?.decode().value;
    const repository = typeof url === "string" && /^https:\/\/huggingface\.co\/([\w.-]+\/[\w.-]+)$/.exec(url);
    if (repository) return repository[1];
  }
  return undefined;
}

function perplexityRemark({ text, sequences, sequenceLength }: NonNullable<Report["perplexity"]>): string {
  return `Measured on ${sequences} sequences of ${sequenceLength} tokens of ${describeText(text.name)} (SHA-256 \`${text.sha256}\`), which the choice of layers did not rest on. Perplexity is no measure of everything: try the model on what you want it for.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}
