import type { Command } from "commander";
import { addOutputOptions } from "../options/groups.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

export function define(command: Command): void {
  addOutputOptions(command);
  command.action((options: OutputOptions) =>
    run(async () => {
      const { diagnose } = await import("../../api/diagnose.ts");
      const diagnosis = await diagnose();
      const { describeDiagnosis } = await import("../text/diagnosis.ts");
      await openTerminal(options).result(describeDiagnosis(diagnosis), diagnosis);
    }),
  );
}
