import { Command } from "commander";
import type { PruneOptions } from "../api/prune.ts";
import { DEFAULT_COMPENSATION } from "../compensation/modes.ts";
import { commandLine } from "./command-line.ts";
import { addExportOptions, checkExports, type ExportOptions, writeExports } from "./exports.ts";
import {
  addBudgetOptions,
  addCacheOptions,
  addCalibrationOptions,
  addClusterOptions,
  addCompensationOptions,
  addGoalOptions,
  addOutputOptions,
  addRunOptions,
  addSearchOptions,
  addWriteOptions,
} from "./options.ts";
import { run } from "./run.ts";
import { addSourceOptions, findModel, MODEL_ARGUMENT, type SourceOptions } from "./source.ts";
import { type OutputOptions, openTerminal } from "./terminal.ts";

type Options = PruneOptions & ExportOptions & OutputOptions & SourceOptions;

export function pruneCommand(): Command {
  const command = new Command("prune")
    .description("measure a model, decide which layers go, write it without them, and say what that cost")
    .argument("<model>", MODEL_ARGUMENT);
  addBudgetOptions(command);
  addGoalOptions(command);
  addSearchOptions(command);
  addWriteOptions(command)
    .option("--dry-run", "stop after the plan and write nothing")
    .option("--matrix", "keep the similarity matrix in the JSON report");
  addExportOptions(command);
  addCompensationOptions(command, DEFAULT_COMPENSATION);
  addCalibrationOptions(command);
  addCacheOptions(command);
  addClusterOptions(command);
  addRunOptions(command);
  addSourceOptions(command);
  addOutputOptions(command);
  return command.action((reference: string, { hfToken, ...options }: Options) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const model = await findModel(reference, { hfToken }, terminal, signal);
      const exports = await checkExports(options, model);
      const { prune } = await import("../api/prune.ts");
      const { onProgress } = terminal;
      const pruned = await prune(model.path, { ...options, stem: model.stem, signal, onProgress });
      const report = { ...pruned, command: commandLine() };
      for (const line of await writeExports(exports, report, model)) terminal.say(line);
      const { describeReport } = await import("./describe.ts");
      await terminal.result(describeReport(report), report);
    }),
  );
}
