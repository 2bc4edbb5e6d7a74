import { Command } from "commander";
import { VERSION } from "../version.ts";
import { manPage } from "./manual.ts";

export function manCommand(program: Command): Command {
  return new Command("man").description("print the man page; lorp man | man -l - shows it").action(() => {
    process.stdout.write(manPage(program, VERSION));
  });
}
