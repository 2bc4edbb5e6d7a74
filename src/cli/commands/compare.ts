import type { Command } from "commander";
import type { CompareOptions } from "../../api/compare.ts";
import { checkFiles } from "../options/files.ts";
import {
  addCacheOptions,
  addCalibrationOptions,
  addClusterOptions,
  addForceOption,
  addOutputOptions,
  addRunOptions,
  addSearchOptions,
  whole,
} from "../options/groups.ts";
import { forApi } from "../options/own.ts";
import { addPageOption, type PageOptions, writeFiles } from "../options/page.ts";
import { names, wholeNumbers } from "../options/quantities.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

type Options = CompareOptions &
  OutputOptions &
  PageOptions &
  SourceOptions & { readonly output?: string; readonly force?: boolean };

export function define(command: Command): void {
  command
    .option(
      "--remove <list>",
      "numbers of layers to remove, such as 3,5,7 or 2-8 (default: 1 to a third of them)",
      wholeNumbers,
    )
    .option(
      "--methods <names>",
      "methods, such as lorp,shortgpt,auto (default: all; without --remove: auto)",
      names,
    )
    .option("--text <file...>", "texts to measure on beside the held-back calibration text")
    .option("--text-sequences <n>", "windows scored of each of these texts (default: at most 24)", whole(1))
    .option("--no-divergence", "leave the KL divergence out, which takes half the time")
    .option(
      "--types <names>",
      "types of quantisation to measure beside and together with removals, such as Q8_0,Q4_K_M (of an F16, BF16 or F32 file)",
      names,
    )
    .option("--imatrix <file>", "the model's importance matrix from llama-imatrix, for --types")
    .option("-o, --output <file>", "write the Comparison (JSON) here");
  addPageOption(command);
  addSearchOptions(command);
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
      const { compare } = await import("../../api/compare.ts");
      const { path } = await findModel(model, options, terminal, signal);
      const { calibration, text = [], imatrix, output, report } = options;
      await checkFiles({
        reads: [path, calibration, imatrix, ...text],
        writes: [output, report],
        force: options.force,
      });
      const { describeCandidate, describeComparison, describeVariant } = await import(
        "../text/evaluation.ts"
      );
      const comparison = await compare(path, {
        ...forApi(options, ["output", "force"]),
        signal,
        onCandidate: (candidate) => terminal.say(describeCandidate(candidate)),
        onVariant: (variant) => terminal.say(describeVariant(variant)),
        onProgress: terminal.onProgress,
        onNotice: terminal.say,
      });
      await writeFiles(comparison, options, terminal);
      await terminal.result(describeComparison(comparison), comparison);
    }),
  );
}
