import type { Command } from "commander";
import type { CompareOptions } from "../../api/compare.ts";
import type { Comparison } from "../../documents/comparison.ts";
import { type MeasuringOptions, measuringCommand } from "../measuring-command.ts";
import { addSearchOptions, whole } from "../options/groups.ts";
import { forApi } from "../options/own.ts";
import { names, wholeNumbers } from "../options/quantities.ts";

type Options = CompareOptions & MeasuringOptions;

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
  addSearchOptions(command);
  measuringCommand<Options, Comparison>(command, {
    reads: ({ calibration, imatrix, text = [] }) => [calibration, imatrix, ...text],
    async measure(path, options, told, { say }) {
      const { compare } = await import("../../api/compare.ts");
      const { describeCandidate, describeVariant } = await import("../text/evaluation.ts");
      return compare(path, {
        ...forApi(options, ["output", "force"]),
        ...told,
        onCandidate: (candidate) => say(describeCandidate(candidate)),
        onVariant: (variant) => say(describeVariant(variant)),
      });
    },
    async describe(comparison) {
      const { describeComparison } = await import("../text/evaluation.ts");
      return describeComparison(comparison);
    },
  });
}
