import type { Command } from "commander";
import type { PruneOptions } from "../../api/prune.ts";
import { DEFAULT_COMPENSATION } from "../../compensation/modes.ts";
import { DEFAULT_REPAIR } from "../../repair/kinds.ts";
import { commandLine } from "../command-line.ts";
import { addExportOptions, type ExportOptions, placeExports, writeExports } from "../options/exports.ts";
import { filesRead, textsWritten } from "../options/files.ts";
import {
  addBudgetOptions,
  addCacheOptions,
  addCalibrationOptions,
  addClusterOptions,
  addCompensationOptions,
  addGoalOptions,
  addOutputOptions,
  addQuantizeOptions,
  addRepairOption,
  addRunOptions,
  addSampleOptions,
  addSearchOptions,
  addWriteOptions,
} from "../options/groups.ts";
import { forApi } from "../options/own.ts";
import { addPageOption, type PageOptions, writePage } from "../options/page.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

type Options = PruneOptions & ExportOptions & OutputOptions & PageOptions & SourceOptions;

export function define(command: Command): void {
  addBudgetOptions(command);
  addGoalOptions(command);
  addSearchOptions(command);
  addWriteOptions(command)
    .option("--dry-run", "stop after the plan and write nothing")
    .option("--no-speed", "do not time the model before and after")
    .option("--matrix", "keep the similarity matrix in the JSON report");
  addQuantizeOptions(command);
  addExportOptions(command);
  addPageOption(command);
  addCompensationOptions(command, DEFAULT_COMPENSATION);
  addRepairOption(command, DEFAULT_REPAIR);
  addCalibrationOptions(command);
  addCacheOptions(command);
  addClusterOptions(command);
  addSampleOptions(command);
  addRunOptions(command);
  addSourceOptions(command);
  addOutputOptions(command);
  command.action((reference: string, { hfToken, ...options }: Options) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const model = await findModel(reference, { hfToken }, terminal, signal);
      const exports = await placeExports(options, model);
      const { dryRun, force, report: page } = options;
      const { prune, withoutMatrix } = await import("../../api/prune.ts");
      const { onProgress, say: onNotice } = terminal;
      const pruned = await prune(model.path, {
        ...forApi(options),
        // The page and the drawing show the matrix, whether or not the JSON report keeps it.
        matrix: true,
        stem: model.stem,
        otherFiles: {
          reads: filesRead([]),
          writes: [
            ...textsWritten(dryRun ? [] : [exports.modelfile, exports.modelCard], force ?? false),
            ...textsWritten([page], force ?? false),
          ],
        },
        signal,
        onProgress,
        onNotice,
      });
      const shown = { ...pruned, command: commandLine() };
      const report = options.matrix ? shown : withoutMatrix(shown);
      for (const line of await writeExports(exports, report, model)) terminal.say(line);
      if (page !== undefined) {
        await writePage(page, shown);
        terminal.say(`Wrote ${page}`);
      }
      const { describeReport } = await import("../text/documents.ts");
      await terminal.result(describeReport(shown, terminal.style), report);
    }),
  );
}
