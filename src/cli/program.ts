import { Command } from "commander";
import { VERSION } from "../version.ts";
import { analyzeCommand } from "./analyze.ts";
import { applyCommand } from "./apply.ts";
import { inspectCommand } from "./inspect.ts";
import { planCommand } from "./plan.ts";
import { pruneCommand } from "./prune.ts";

/** The whole command tree; what a command does is loaded when it runs, so that help is instant. */
export function buildProgram(): Command {
  const program = new Command("lorp")
    .description(
      "Makes local language models shallower: measures a GGUF's blocks, drops the redundant ones, says what it cost.",
    )
    .version(VERSION, "-V, --version")
    .showHelpAfterError("(run the command with --help for its options)");
  for (const command of [pruneCommand(), analyzeCommand(), planCommand(), applyCommand(), inspectCommand()]) {
    program.addCommand(command.copyInheritedSettings(program));
  }
  return program;
}
