import type { Command, Option } from "commander";
import { visibleCommands } from "./command-tree.ts";

/** Finds values that an option can have and the command tree does not list. `words` is the command line so far. */
export type ValueSource = (words: readonly string[]) => Promise<readonly string[]>;

/**
 * What the last word may become.
 * @param words the command line after `lorp`, up to the cursor; the last word may be empty
 * @param sources by the option's long name
 * @returns whole words; none where a file is wanted, which shells know best
 */
export async function complete(
  program: Command,
  words: readonly string[],
  sources: Readonly<Record<string, ValueSource>>,
): Promise<string[]> {
  // bash makes three words of --gpu=off.
  const line = words.filter((word) => word !== "=");
  const last = line.at(-1) ?? "";
  const starting = (candidates: readonly string[]) => candidates.filter((word) => word.startsWith(last));
  const commands = visibleCommands(program);
  if (line.length <= 1)
    return starting([...commands.map((command) => command.name()), ...longNames(program)]);
  const command = commands.find((candidate) => candidate.name() === line[0]);
  if (command === undefined) return [];
  const option = command.options.find(({ long, short }) => [long, short].includes(line.at(-2)));
  if (option?.required) return completeValue(option, last, line, sources);
  if (last.startsWith("-")) return starting(longNames(command).filter((name) => !line.includes(name)));
  return starting(command.registeredArguments[line.length - 2]?.argChoices ?? []);
}

const longNames = (command: Command): string[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => long ?? []);

/** Completes a value, of a list such as `5,7-9` the last one. */
async function completeValue(
  { long, argChoices }: Option,
  last: string,
  line: readonly string[],
  sources: Readonly<Record<string, ValueSource>>,
): Promise<string[]> {
  const values = argChoices ?? (await sources[long ?? ""]?.(line)) ?? [];
  const [before = "", partial = ""] = /^(.*[,-])?([^,-]*)$/.exec(last)?.slice(1) ?? [];
  return values.filter((value) => value.startsWith(partial)).map((value) => `${before}${value}`);
}
