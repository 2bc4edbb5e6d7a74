import { Command } from "commander";
import { VERSION } from "../version.ts";
import { COMMANDS } from "./commands/index.ts";

/**
 * The command tree.
 * @param words only commands among these words get their options and actions, so that help is instant; all by default
 */
export async function buildProgram(words?: readonly string[]): Promise<Command> {
  const program = new Command("lorp")
    .description(
      "Makes local language models shallower: measures a GGUF's layers, drops the redundant ones, says what it cost.",
    )
    .version(VERSION, "-V, --version")
    .showHelpAfterError("(run the command with --help for its options)");
  for (const { name, description, arguments: args, hidden, load } of COMMANDS) {
    const command = new Command(name).description(description).copyInheritedSettings(program);
    for (const argument of args) command.addArgument(argument);
    if (words?.includes(name) ?? true) {
      const { define } = await load();
      const { addRecipeOption } = await import("./options/groups.ts");
      define(command, buildProgram);
      addRecipeOption(command);
    }
    program.addCommand(command, { hidden: hidden ?? false });
  }
  return program;
}
