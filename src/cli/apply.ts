import { Command } from "commander";
import type { WriteOptions } from "../api/apply.ts";
import { addOutputOptions, addWriteOptions } from "./options.ts";
import { run } from "./run.ts";
import { type OutputOptions, openTerminal } from "./terminal.ts";

type Options = WriteOptions & OutputOptions;

export function applyCommand(): Command {
  const command = new Command("apply")
    .description("write the model that a Plan describes; the model is not run")
    .argument("<model>", "the GGUF file that the Plan was made for")
    .argument("<plan>", "a Plan (JSON), by lorp plan or lorp prune");
  addWriteOptions(command);
  addOutputOptions(command);
  return command.action((model: string, planPath: string, options: Options) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { apply } = await import("../api/apply.ts");
      const { readPlan } = await import("../documents/files.ts");
      const plan = await readPlan(planPath);
      const written = await apply(model, plan, { ...options, signal, onProgress: terminal.onProgress });
      const { formatBytes } = await import("../report/format.ts");
      await terminal.result(
        `Wrote ${written.path} (${formatBytes(written.bytes)}) without layers ${plan.removedLayers.join(", ")}`,
        written,
      );
    }),
  );
}
