import type { Command } from "commander";
import type { PlanOptions } from "../../api/plan.ts";
import { ofDocument } from "../of-document.ts";
import { checkFiles } from "../options/files.ts";
import { addBudgetOptions, addClusterOptions, addForceOption, addOutputOptions } from "../options/groups.ts";
import { forApi } from "../options/own.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

type Options = PlanOptions & OutputOptions & { readonly output?: string; readonly force?: boolean };

export function define(command: Command): void {
  command.option("-o, --output <file>", "write the Plan (JSON) here");
  addBudgetOptions(command);
  addClusterOptions(command);
  addForceOption(command);
  addOutputOptions(command);
  command.action((path: string, options: Options) =>
    run(async () => {
      const terminal = openTerminal(options);
      await checkFiles({ reads: [path], writes: [options.output], force: options.force });
      const { plan } = await import("../../api/plan.ts");
      const { readAnalysis, writeDocument } = await import("../../documents/files.ts");
      const analysis = await readAnalysis(path);
      const decided = ofDocument(path, () => plan(analysis, forApi(options, ["output", "force"])));
      if (options.output !== undefined) {
        await writeDocument(options.output, decided);
        terminal.say(`Wrote ${options.output}`);
      }
      const { describePlan } = await import("../text/documents.ts");
      await terminal.result(describePlan(decided), decided);
    }),
  );
}
