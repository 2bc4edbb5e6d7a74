import type { Command, Option } from "commander";

/** The section of a recipe with options for every command that has them; the others are called as the commands. */
export const COMMON = "common";

/** What a recipe gives an option: a switch, a value, or several. */
export type RecipeValue = boolean | number | string | readonly (number | string)[];

/** Options by name for all commands, and for single ones. */
export type Recipe = Readonly<Record<string, Readonly<Record<string, RecipeValue>>>>;

/** A command's options that a recipe can set. */
export function recipeOptions(command: Command): Option[] {
  return command.options.filter(
    ({ hidden, long }) => !hidden && long !== "--config" && long !== "--hf-token",
  );
}

/** What only a recipe that the user names may set: where is written what, what is replaced and untold, who gets the model. */
export const ONLY_IF_NAMED: ReadonlySet<string> = new Set([
  "output",
  "report",
  "modelfile",
  "modelCard",
  "baseCache",
  "force",
  "quiet",
  "rpc",
]);
