import type { Command } from "commander";
import { VERSION } from "../../version.ts";
import { manPage } from "../help/manual.ts";
import { buildProgram } from "../program.ts";

export function define(command: Command): void {
  command.action(async () => {
    process.stdout.write(manPage(await buildProgram(), VERSION));
  });
}
