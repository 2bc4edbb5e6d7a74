import type { Command } from "commander";
import { addOutputOptions } from "../options/groups.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

export function define(command: Command): void {
  addSourceOptions(command);
  addOutputOptions(command);
  command.action((model: string, options: OutputOptions & SourceOptions) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { inspect } = await import("../../api/inspect.ts");
      const { path } = await findModel(model, options, terminal, signal);
      const inspection = await inspect(path, { signal });
      const { describeInspection } = await import("../text/inspection.ts");
      await terminal.result(describeInspection(inspection), inspection);
    }),
  );
}
