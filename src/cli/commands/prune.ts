import type { Command } from "commander";
import type { PruneOptions } from "../../api/prune.ts";
import { DEFAULT_REPAIR } from "../../repair/kinds.ts";
import { TEXT_WIDTH, wrapText } from "../../report/format.ts";
import { commandLine } from "../command-line.ts";
import { addExportOptions, type ExportOptions, placeExports, writeExports } from "../options/exports.ts";
import { filesRead, textsWritten } from "../options/files.ts";
import {
  addBudgetOptions,
  addCacheOptions,
  addCalibrationOptions,
  addClusterOptions,
  addGoalOptions,
  addOutputOptions,
  addQuantizeOptions,
  addRepairOption,
  addRunOptions,
  addSampleOptions,
  addSearchOptions,
  addTaskOption,
  addWriteOptions,
} from "../options/groups.ts";
import { forApi, sharedWith } from "../options/own.ts";
import { addPageOption, type PageOptions, writeFiles, writePage } from "../options/page.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal, type Terminal } from "../terminal.ts";

type Options = PruneOptions & ExportOptions & OutputOptions & PageOptions & SourceOptions;

export function define(command: Command): void {
  addBudgetOptions(command);
  addGoalOptions(command);
  addSearchOptions(command);
  addTaskOption(command);
  addWriteOptions(command)
    .option("--dry-run", "write nothing: say what the file would hold, and measure what it would cost")
    .option("--no-speed", "do not time the model before and after")
    .option("--matrix", "keep the similarity matrix in the JSON report");
  addQuantizeOptions(command);
  addExportOptions(command);
  addPageOption(command);
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
      if (isUndecided(options)) {
        await showFrontier(model.path, options, terminal, signal);
        return;
      }
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
          reads: filesRead([options.task]),
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

/** Whether nobody says how much is to go, nor that a file is to be written. */
function isUndecided(options: Options): boolean {
  const { remove, ratio, layers, targetSize, speedup, maxLoss, output, quantize, modelfile } = options;
  return [remove, ratio, layers, targetSize, speedup, maxLoss, output, quantize, modelfile].every(
    (given) => given === undefined,
  );
}

/** Shows what can be chosen from, and says how. */
async function showFrontier(
  path: string,
  options: Options,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const { method, report: page } = options;
  terminal.say("Nothing is written yet: this measures what each number of layers costs, to choose by.");
  const { describeCandidate, describeComparison } = await import("../text/evaluation.ts");
  const { COMPARE_OPTIONS, compare } = await import("../../api/compare.ts");
  const comparison = await compare(path, {
    ...sharedWith(options, COMPARE_OPTIONS),
    remove: undefined,
    methods: method === undefined ? undefined : [method],
    signal,
    onCandidate: (candidate) => terminal.say(describeCandidate(candidate)),
    onProgress: terminal.onProgress,
    onNotice: terminal.say,
  });
  await writeFiles(comparison, { report: page }, terminal);
  const advice =
    "Nothing is written. Choose: --remove N takes one of these rows and searches further for it, --max-loss 0.1nats as many layers as that allows.";
  await terminal.result(`${describeComparison(comparison)}\n${wrapText(advice, TEXT_WIDTH)}`, comparison);
}
