import type { Command } from "commander";
import { addOutputOptions } from "../options/groups.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

export function define(command: Command): void {
  addOutputOptions(command);
  command.action((options: OutputOptions) =>
    run(async () => {
      const { isMeasured, METHODS } = await import("../../selection/methods.ts");
      const methods = METHODS.map((method) => ({
        name: method.name,
        summary: method.summary,
        source: method.source,
        measures: isMeasured(method),
      }));
      const width = Math.max(...methods.map(({ name }) => name.length));
      const text = methods
        .map(({ name, summary, source, measures }) =>
          [
            `${name.padEnd(width)}  ${summary}`,
            `${" ".repeat(width)}  ${source}${measures ? "; measures the model" : ""}`,
          ].join("\n"),
        )
        .join("\n");
      await openTerminal(options).result(text, { methods });
    }),
  );
}
