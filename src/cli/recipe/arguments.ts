import type { Command, Option } from "commander";
import { DocumentError } from "../../documents/errors.ts";
import { readJson } from "../../documents/files.ts";
import { validate } from "../../documents/validate.ts";
import { COMMON, ONLY_IF_NAMED, type Recipe, type RecipeValue, recipeOptions } from "./options.ts";
import { isNamed, optionArguments } from "./place.ts";
import { recipeSchema } from "./schema.ts";

/** Options that exclude each other: one on the command line goes before the others in a recipe. */
const EXCLUSIVE: readonly (readonly string[])[] = [
  ["--remove", "--ratio", "--layers", "--target-size", "--speedup", "--max-loss"],
  ["--keep-split", "--split-max-size"],
];

/** What a recipe adds to a command line. */
export interface RecipeArguments {
  /** Where it was read from. */
  readonly path: string;
  /** In the form of options, without what the command line says itself. */
  readonly added: readonly string[];
}

/**
 * Reads a recipe.
 * @param commands with all their options
 * @param args the command line without node and lorp
 * @returns undefined if nothing in it is for this command
 * @throws DocumentError
 */
export async function readRecipe(
  path: string,
  commands: readonly Command[],
  args: readonly string[],
): Promise<RecipeArguments | undefined> {
  const command = commands.find((candidate) => candidate.name() === args[0]);
  if (command === undefined) return undefined;
  const recipe = validate<Recipe>(recipeSchema(commands), await readJson(path), path);
  if (!isNamed(args)) refuseUnasked(path, recipe, command);
  return { path, added: recipeArguments(recipe, command, args) };
}

/** A folder's recipe may come with what was fetched from somebody. @throws DocumentError `RECIPE_NOT_NAMED` */
function refuseUnasked(path: string, recipe: Recipe, command: Command): void {
  const settings = { ...recipe[COMMON], ...recipe[command.name()] };
  const option = recipeOptions(command).find((each) => {
    const name = each.attributeName();
    return ONLY_IF_NAMED.has(name) && (settings[name] ?? false) !== false;
  });
  if (option === undefined) return;
  throw new DocumentError(
    "RECIPE_NOT_NAMED",
    `${path} sets "${option.attributeName()}", which a recipe may only do that you ask for: check it and name it with --config ${path}, or take that out.`,
  );
}

/** The recipe's options for a command, but those that the command line gives, or gives an alternative to. */
export function recipeArguments(recipe: Recipe, command: Command, args: readonly string[]): string[] {
  const settings = { ...recipe[COMMON], ...recipe[command.name()] };
  const options = optionArguments(args);
  const given = (flag: string) => options.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
  return recipeOptions(command).flatMap((option) => {
    const value = settings[option.attributeName()];
    const { long = "", short } = option;
    const alternatives = EXCLUSIVE.find((group) => group.includes(long)) ?? [long];
    if (value === undefined || alternatives.some(given)) return [];
    if (short && options.some((arg) => shortForm(command, short).test(arg))) return [];
    return toArguments(option, value);
  });
}

/** A short option alone, with its value attached (`-oplan.json`), or after switches (`-qo`). */
function shortForm({ options }: Command, short: string): RegExp {
  const switches = options.filter(({ short, required, optional }) => short && !required && !optional);
  const letters = switches.map((option) => option.short?.slice(1)).join("");
  return new RegExp(`^-[${letters}]*${short.slice(1)}`);
}

/** A switch is given when it differs from what holds without it: `--force` for true, `--no-cache` for false. */
function toArguments({ long = "", negate }: Option, value: RecipeValue): string[] {
  if (typeof value === "boolean") return value === negate ? [] : [long];
  return [value].flat().map((each) => `${long}=${each}`);
}

/** The command line with a recipe's options, which come last but before what follows `--`. */
export function withRecipe(args: readonly string[], added: readonly string[]): string[] {
  const options = optionArguments(args);
  return [...options, ...added, ...args.slice(options.length)];
}
