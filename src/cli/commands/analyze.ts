import type { Command } from "commander";
import type { AnalyzeOptions } from "../../api/analyze.ts";
import type { Analysis } from "../../documents/analysis.ts";
import { type MeasuringOptions, measuringCommand } from "../measuring-command.ts";
import { forApi } from "../options/own.ts";

type Options = AnalyzeOptions & MeasuringOptions;

export function define(command: Command): void {
  command.option("-o, --output <file>", "write the Analysis (JSON) here");
  measuringCommand<Options, Analysis>(command, {
    reads: ({ calibration }) => [calibration],
    async measure(path, options, told) {
      const { analyze } = await import("../../api/analyze.ts");
      return analyze(path, { ...forApi(options, ["output", "force"]), ...told });
    },
    async describe(analysis, { style }) {
      const { describeAnalysis } = await import("../text/documents.ts");
      return describeAnalysis(analysis, style);
    },
  });
}
