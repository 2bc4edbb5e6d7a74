import type { Command } from "commander";
import { ofDocument } from "../of-document.ts";
import { checkFiles } from "../options/files.ts";
import { addForceOption, addOutputOptions } from "../options/groups.ts";
import { writePage } from "../options/page.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

type Options = OutputOptions & { readonly output?: string; readonly force?: boolean };

export function define(command: Command): void {
  command.option("-o, --output <file>", "where to write the page (default: beside the document)");
  addForceOption(command);
  addOutputOptions(command);
  command.action((path: string, options: Options) =>
    run(async () => {
      const terminal = openTerminal(options);
      const { readDocument } = await import("../../documents/files.ts");
      const { completeDocument } = await import("../../analysis/complete-document.ts");
      const page = options.output ?? `${path.replace(/\.json$/i, "")}.html`;
      await checkFiles({ reads: [path], writes: [page], force: options.force });
      const document = await readDocument(path);
      await writePage(
        page,
        ofDocument(path, () => completeDocument(document)),
      );
      await terminal.result(`Wrote ${page}`, { path: page });
    }),
  );
}
