import { basename } from "node:path";
import type { Report } from "../documents/report.ts";
import type { GgufFile } from "../gguf/types.ts";
import { formatLayers } from "../report/format.ts";
import { describeText, isRuined } from "../report/verdict.ts";
import { changeRows, viewOf } from "../report/view.ts";

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
  const name = plan.model.name ?? basename(input.path).replace(/\.gguf$/, "");
  const judged = verdict ? [`**${verdict.sentence}**`] : [];
  const sections = [
    `# ${name}, pruned to ${plan.keptLayers.length} of ${plan.model.blockCount} blocks`,
    ...(isRuined(verdict) ? judged : []),
    `${base ? `[${name}](https://huggingface.co/${base})` : name} without ${plan.removedLayers.length} of its transformer blocks. Nothing was trained. ${kept(report)} The blocks were chosen by \`${plan.method}\`${source(plan.method)}.`,
    "## What it cost",
    ...(isRuined(verdict) ? [] : judged),
    table(["", "original", "pruned", "change"], changeRows(viewOf(report))),
    ...(report.perplexity ? [perplexityRemark(report.perplexity)] : []),
    "## What was removed",
    `Blocks ${formatLayers(plan.removedLayers)}, counted from 0, in this order:`,
    plan.removals.map(({ layer, text }) => `1. block ${layer}: ${text}`).join("\n"),
    ...(command ? ["## How it was made", `\`\`\`sh\n${command}\n\`\`\``] : []),
    ...(output ? ["## How to run it", `\`\`\`sh\nllama-cli -m ${basename(output.path)}\n\`\`\``] : []),
  ];
  return `${frontMatter(base, metadata)}\n${sections.join("\n\n")}\n`;
}

/** What became of the blocks that are left. */
function kept({ plan: { compensation }, settings }: Report): string {
  const scaled = compensation?.factors.length ?? 0;
  const quantized = settings.quantize;
  const unchanged =
    typeof quantized === "string"
      ? `What is left was quantised to ${quantized.toUpperCase()} by llama.cpp.`
      : "Every tensor that is left is the original's, byte for byte.";
  const parts = [
    ...(scaled === 0
      ? []
      : [`To make up for them, what ${scaled} of the others add is scaled (\`${compensation?.mode}\`).`]),
    ...(scaled === 0 || quantized !== undefined ? [unchanged] : []),
  ];
  return parts.join(" ");
}

/** Where the method is described; the others are named by what they do. */
function source(method: string): string {
  return method === "lorp" ? " ([arXiv 2605.27786](https://arxiv.org/abs/2605.27786))" : "";
}

function frontMatter(base: string | undefined, metadata: GgufFile["metadata"]): string {
  const value = (key: string) => metadata.get(`general.${key}`)?.decode().value;
  const license = value("license");
  const languages = value("languages");
  // A JSON text is YAML too.
  const lines = [
    ...(base ? [`base_model: ${JSON.stringify(base)}`] : []),
    ...(typeof license === "string" ? [`license: ${JSON.stringify(license)}`] : []),
    ...(Array.isArray(languages) ? [`language: ${JSON.stringify(languages)}`] : []),
    "library_name: gguf",
    "pipeline_tag: text-generation",
    'tags: ["gguf", "pruned", "layer-pruning", "lorp"]',
  ];
  return `---\n${lines.join("\n")}\n---\n`;
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
  return `Measured on ${sequences} sequences of ${sequenceLength} tokens of ${describeText(text.name)} (SHA-256 \`${text.sha256}\`), which the choice of blocks did not rest on. Perplexity is no measure of everything: try the model on what you want it for.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}
