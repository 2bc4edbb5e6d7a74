import type { Command } from "commander";
import type { AnalyzeOptions } from "../../api/analyze.ts";
import { checkFiles } from "../options/files.ts";
import {
  addCacheOptions,
  addCalibrationOptions,
  addClusterOptions,
  addForceOption,
  addOutputOptions,
  addRunOptions,
} from "../options/groups.ts";
import { forApi } from "../options/own.ts";
import { addPageOption, type PageOptions, writeFiles } from "../options/page.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

type Options = AnalyzeOptions &
  OutputOptions &
  PageOptions &
  SourceOptions & { readonly output?: string; readonly force?: boolean };

export function define(command: Command): void {
  command.option("-o, --output <file>", "write the Analysis (JSON) here");
  addPageOption(command);
  addCalibrationOptions(command);
  addCacheOptions(command);
  addClusterOptions(command);
  addRunOptions(command);
  addSourceOptions(command);
  addForceOption(command);
  addOutputOptions(command);
  command.action((model: string, options: Options) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { analyze } = await import("../../api/analyze.ts");
      const { path } = await findModel(model, options, terminal, signal);
      await checkFiles({
        reads: [path, options.calibration],
        writes: [options.output, options.report],
        force: options.force,
      });
      const analysis = await analyze(path, {
        ...forApi(options, ["output", "force"]),
        signal,
        onProgress: terminal.onProgress,
        onNotice: terminal.say,
      });
      await writeFiles(analysis, options, terminal);
      const { describeAnalysis } = await import("../text/documents.ts");
      await terminal.result(describeAnalysis(analysis, terminal.style), analysis);
    }),
  );
}
