import type { Command } from "commander";
import type { ModelRunOptions } from "../api/stages/options.ts";
import type { Document } from "../documents/files.ts";
import { checkFiles } from "./options/files.ts";
import {
  addCacheOptions,
  addCalibrationOptions,
  addClusterOptions,
  addForceOption,
  addOutputOptions,
  addRunOptions,
} from "./options/groups.ts";
import { addPageOption, type PageOptions, writeFiles } from "./options/page.ts";
import { addSourceOptions, findModel, type SourceOptions } from "./options/source.ts";
import { run } from "./run.ts";
import { type OutputOptions, openTerminal, type Terminal } from "./terminal.ts";

/** The options of a command that measures a model, beside those of its function. */
export type MeasuringOptions = OutputOptions &
  PageOptions &
  SourceOptions & { readonly output?: string; readonly force?: boolean };

/** How a function of the API is stopped, and what it tells on the way. */
type Told = Pick<ModelRunOptions, "signal" | "onProgress" | "onNotice">;

interface Measuring<Options, Result> {
  /** Files that it reads besides the model. */
  reads(options: Options): readonly (string | undefined)[];
  measure(path: string, options: Options, told: Told, terminal: Terminal): Promise<Result>;
  describe(document: Result, terminal: Terminal): Promise<string>;
}

/** Gives a command what it takes to measure a model into a document, which it writes, draws and tells. */
export function measuringCommand<Options extends MeasuringOptions, Result extends Document>(
  command: Command,
  { reads, measure, describe }: Measuring<Options, Result>,
): void {
  addPageOption(command);
  addCalibrationOptions(command);
  addCacheOptions(command);
  addClusterOptions(command);
  addRunOptions(command);
  addSourceOptions(command);
  addForceOption(command);
  addOutputOptions(command);
  command.action((reference: string, options: Options) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { path } = await findModel(reference, options, terminal, signal);
      await checkFiles({
        reads: [path, ...reads(options)],
        writes: [options.output, options.report],
        force: options.force,
      });
      const told = { signal, onProgress: terminal.onProgress, onNotice: terminal.say };
      const document = await measure(path, options, told, terminal);
      await writeFiles(document, options, terminal);
      await terminal.result(await describe(document, terminal), document);
    }),
  );
}
