import { Command } from "commander";
import { VERSION } from "../version.ts";
import { analyzeCommand } from "./analyze.ts";
import { applyCommand } from "./apply.ts";
import { chatCommand } from "./chat.ts";
import { compareCommand } from "./compare.ts";
import { completeCommand, completionCommand } from "./completion.ts";
import { diffCommand } from "./diff.ts";
import { evalCommand } from "./eval.ts";
import { inspectCommand } from "./inspect.ts";
import { lsCommand } from "./ls.ts";
import { manCommand } from "./man.ts";
import { methodsCommand } from "./methods.ts";
import { planCommand } from "./plan.ts";
import { pruneCommand } from "./prune.ts";
import { addRecipeOption } from "./recipe.ts";
import { reportCommand } from "./report.ts";

/** The whole command tree; what a command does is loaded when it runs, so that help is instant. */
export function buildProgram(): Command {
  const program = new Command("lorp")
    .description(
      "Makes local language models shallower: measures a GGUF's blocks, drops the redundant ones, says what it cost.",
    )
    .version(VERSION, "-V, --version")
    .showHelpAfterError("(run the command with --help for its options)");
  for (const command of [
    pruneCommand(),
    analyzeCommand(),
    planCommand(),
    applyCommand(),
    inspectCommand(),
    evalCommand(),
    compareCommand(),
    methodsCommand(),
    reportCommand(),
    lsCommand(),
    chatCommand(),
    diffCommand(),
    completionCommand(),
    manCommand(program),
  ]) {
    addRecipeOption(command);
    program.addCommand(command.copyInheritedSettings(program));
  }
  program.addCommand(completeCommand(program), { hidden: true });
  return program;
}
