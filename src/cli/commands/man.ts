import type { Command } from "commander";
import { VERSION } from "../../version.ts";
import { manPage } from "../help/manual.ts";

export function define(command: Command, buildProgram: () => Promise<Command>): void {
  command.action(async () => {
    process.stdout.write(manPage(await buildProgram(), VERSION));
  });
}
