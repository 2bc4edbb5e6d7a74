import { Command } from "commander";
import type { PruneOptions } from "../api/prune.ts";
import {
  addBudgetOptions,
  addCalibrationOptions,
  addClusterOptions,
  addGoalOptions,
  addOutputOptions,
  addRunOptions,
  addSearchOptions,
  addWriteOptions,
} from "./options.ts";
import { run } from "./run.ts";
import { type OutputOptions, openTerminal } from "./terminal.ts";

type Options = PruneOptions & OutputOptions;

export function pruneCommand(): Command {
  const command = new Command("prune")
    .description("measure a model, decide which layers go, write it without them, and say what that cost")
    .argument("<model>", "a GGUF file, or any part of a split one");
  addBudgetOptions(command);
  addGoalOptions(command);
  addSearchOptions(command);
  addWriteOptions(command)
    .option("--dry-run", "stop after the plan and write nothing")
    .option("--matrix", "keep the similarity matrix in the JSON report");
  addCalibrationOptions(command);
  addClusterOptions(command);
  addRunOptions(command);
  addOutputOptions(command);
  return command.action((model: string, options: Options) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { prune } = await import("../api/prune.ts");
      const report = await prune(model, { ...options, signal, onProgress: terminal.onProgress });
      const { describeReport } = await import("./describe.ts");
      await terminal.result(describeReport(report), report);
    }),
  );
}
