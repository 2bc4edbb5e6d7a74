import type { Command } from "commander";
import type { DescribedStoredModel } from "../../sources/describe.ts";
import { addOutputOptions } from "../options/groups.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

export function define(command: Command): void {
  addOutputOptions(command);
  command.action((options: OutputOptions) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { describeStoredModels } = await import("../../sources/describe.ts");
      const models = await describeStoredModels(signal);
      await terminal.result(await describeModels(models), models);
    }),
  );
}

async function describeModels(models: readonly DescribedStoredModel[]): Promise<string> {
  if (models.length === 0) return "No GGUF models were found; give lorp a path, or hf:user/repo:Q4_K_M.";
  const { formatBytes, formatTable } = await import("../../report/format.ts");
  const rows = models.map(({ store, name, bytes, architecture, blocks }) => [
    name,
    bytes === undefined ? "damaged" : formatBytes(bytes),
    blocks === undefined ? "" : String(blocks),
    architecture ?? "",
    store,
  ]);
  return formatTable([["model", "size", "layers", "architecture", "kept by"], ...rows]);
}
