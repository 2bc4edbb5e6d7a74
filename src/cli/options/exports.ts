import { dirname, join } from "node:path";
import type { Command } from "commander";
import { shiftsPattern } from "../../architecture/pattern.ts";
import type { Report } from "../../documents/report.ts";
import type { FoundModel } from "./source.ts";

/** Files for other programs that `prune` writes beside the model. `true` is the usual name beside the output. */
export interface ExportOptions {
  readonly modelfile?: string | true | undefined;
  readonly modelCard?: string | true | undefined;
  readonly output?: string | undefined;
}

export function addExportOptions(command: Command): Command {
  return command
    .option("--modelfile [file]", "also write a Modelfile for Ollama (default: beside the output)")
    .option("--model-card [file]", "also write a README.md for Hugging Face (default: beside the output)");
}

const SHIFTED =
  "Ollama 0.30 and later run this file right. Earlier ones take the model's sliding-window pattern from a layer's number, not from the file, and compute something else: for those, prune with --pattern-safe.";

interface ExportPaths {
  readonly modelfile: string | undefined;
  readonly modelCard: string | undefined;
}

/** Where the files go. @throws ExportError if one of them could not be written for what the model holds */
export async function placeExports(options: ExportOptions, model: FoundModel): Promise<ExportPaths> {
  const folder = dirname(options.output ?? model.stem ?? model.path);
  const place = (value: string | true | undefined, name: string) =>
    value === true ? join(folder, name) : value;
  const paths = {
    modelfile: place(options.modelfile, "Modelfile"),
    modelCard: place(options.modelCard, "README.md"),
  };
  if (paths.modelfile !== undefined) {
    const { modelfile } = await import("../../export/modelfile.ts");
    // Only what Ollama kept can be unspeakable.
    modelfile({ model: model.path, modelfile: paths.modelfile, metadata: new Map(), ollama: model.ollama });
  }
  return paths;
}

/** Writes what was asked for. @returns a line for people about each file */
export async function writeExports(paths: ExportPaths, report: Report, model: FoundModel): Promise<string[]> {
  const { readGguf } = await import("../../gguf/read.ts");
  const { writeText } = await import("../../documents/files.ts");
  const written: string[] = [];
  if (paths.modelfile !== undefined && report.output !== null) {
    const { modelfile } = await import("../../export/modelfile.ts");
    const { metadata } = await readGguf(report.output.path);
    const { ollama } = model;
    await writeText(
      paths.modelfile,
      modelfile({ model: report.output.path, modelfile: paths.modelfile, metadata, ollama }),
    );
    written.push(`Wrote ${paths.modelfile}`);
    if (shiftsPattern(report.plan.model, report.plan.keptLayers)) written.push(SHIFTED);
  }
  if (paths.modelCard !== undefined && report.output !== null) {
    const { modelCard } = await import("../../export/model-card.ts");
    const { metadata } = await readGguf(model.path);
    const { repository } = model;
    await writeText(paths.modelCard, modelCard({ report, metadata, repository }));
    written.push(`Wrote ${paths.modelCard}`);
  }
  return written;
}
