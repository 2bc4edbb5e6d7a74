import type { Command } from "commander";
import type { ApplyOptions } from "../../api/apply.ts";
import { filesRead } from "../options/files.ts";
import {
  addCalibrationOptions,
  addKeepOption,
  addOutputOptions,
  addQuantizeOptions,
  addRepairOption,
  addRunOptions,
  addWriteOptions,
} from "../options/groups.ts";
import { forApi } from "../options/own.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

type Options = ApplyOptions & OutputOptions & SourceOptions;

export function define(command: Command): void {
  addWriteOptions(command);
  addQuantizeOptions(command);
  addRepairOption(command, "as the plan says");
  addCalibrationOptions(command);
  addKeepOption(command);
  addRunOptions(command);
  addSourceOptions(command);
  addOutputOptions(command);
  command.action((reference: string, planPath: string, options: Options) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { apply } = await import("../../api/apply.ts");
      const { readPlan } = await import("../../documents/files.ts");
      const plan = await readPlan(planPath);
      const { path, stem } = await findModel(reference, options, terminal, signal);
      const otherFiles = { reads: filesRead([planPath]), writes: [] };
      const { onProgress, say: onNotice } = terminal;
      const written = await apply(path, plan, {
        ...forApi(options),
        stem,
        otherFiles,
        signal,
        onProgress,
        onNotice,
      });
      const { formatBytes } = await import("../../report/format.ts");
      const lines = [
        `Wrote ${written.path} (${formatBytes(written.bytes)}) without layers ${plan.removedLayers.join(", ")}`,
      ];
      if (written.repair) {
        const { describeRepair } = await import("../text/repair.ts");
        lines.push(describeRepair(written.repair));
      }
      await terminal.result(lines.join("\n"), written);
    }),
  );
}
