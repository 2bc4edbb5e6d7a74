import type { Command } from "commander";
import type { Document } from "../../documents/files.ts";
import type { Showable } from "../../report/view.ts";
import type { Terminal } from "../terminal.ts";

/** The option of the commands whose document can be shown as a page. */
export interface PageOptions {
  readonly report?: string | undefined;
}

export function addPageOption(command: Command): Command {
  return command.option("--report <file>", "also write a page (HTML) that shows the result");
}

/** Writes a document as a self-contained page, replacing an older one. @throws DocumentError */
export async function writePage(path: string, document: Showable): Promise<void> {
  const { renderHtml } = await import("../../report/html.ts");
  const { writeText } = await import("../../documents/files.ts");
  await writeText(path, await renderHtml(document));
}

/** Writes a document where `--output` and `--report` ask for it, and says so. @throws DocumentError */
export async function writeFiles(
  document: Document,
  { output, report }: PageOptions & { readonly output?: string },
  terminal: Terminal,
): Promise<void> {
  if (output !== undefined) {
    const { writeDocument } = await import("../../documents/files.ts");
    await writeDocument(output, document);
    terminal.say(`Wrote ${output}`);
  }
  if (report !== undefined) {
    await writePage(report, document);
    terminal.say(`Wrote ${report}`);
  }
}
