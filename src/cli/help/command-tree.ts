import type { Command, Option } from "commander";

/** The command line described as data, for everything that is made from it: man page, reference, completion. */
export interface DescribedCommand {
  /** As typed: `lorp prune`. */
  readonly name: string;
  readonly usage: string;
  readonly description: string;
  readonly arguments: readonly Described[];
  readonly options: readonly Described[];
}

export interface Described {
  /** `<model>`, `-o, --output <file>`. */
  readonly term: string;
  /** With choices and default. */
  readonly description: string;
}

/** Every command a user may type, in the order of the help. */
export function describeCommands(program: Command): DescribedCommand[] {
  return visibleCommands(program).map((command) => {
    const help = command.createHelp();
    const describe = (option: Option): Described => ({
      term: help.optionTerm(option),
      description: help.optionDescription(option),
    });
    return {
      name: `${program.name()} ${command.name()}`,
      usage: help.commandUsage(command),
      description: command.description(),
      arguments: command.registeredArguments.map((argument) => ({
        term: argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
        description: help.argumentDescription(argument),
      })),
      options: help.visibleOptions(command).map(describe),
    };
  });
}

/** The commands that help shows, without `help` itself. */
export function visibleCommands(program: Command): Command[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== "help");
}
