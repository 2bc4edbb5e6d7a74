import { Command } from "commander";
import { addOutputOptions } from "./options.ts";
import { run } from "./run.ts";
import { type OutputOptions, openTerminal } from "./terminal.ts";

export function inspectCommand(): Command {
  const command = new Command("inspect")
    .description("say what a model is made of, and what removing blocks would save")
    .argument("<model>", "a GGUF file, or any part of a split one");
  addOutputOptions(command);
  return command.action((model: string, options: OutputOptions) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { inspect } = await import("../api/inspect.ts");
      const inspection = await inspect(model, { signal });
      const { describeInspection } = await import("./describe.ts");
      await terminal.result(describeInspection(inspection), inspection);
    }),
  );
}
