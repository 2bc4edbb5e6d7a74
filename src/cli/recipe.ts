import type { Command } from "commander";
import { DEFAULT_RECIPE, readRecipe, withRecipe } from "../config/arguments.ts";
import { visibleCommands } from "./command-tree.ts";

/** Lets every command that has options take them from a recipe. */
export function addRecipeOption(command: Command): void {
  if (command.options.length === 0) return;
  command.option("--config <file>", `a recipe with options (default: ${DEFAULT_RECIPE}, if it is there)`);
}

/**
 * Puts a recipe's options into the process's arguments, so that documents quote them, and says so.
 * @throws DocumentError
 */
export async function addRecipe(program: Command): Promise<void> {
  const [node = "", lorp = "", ...args] = process.argv;
  const recipe = await readRecipe(visibleCommands(program), args);
  if (recipe === undefined || recipe.added.length === 0) return;
  process.argv = [node, lorp, ...withRecipe(args, recipe.added)];
  const quiet = process.argv.some((arg) => arg === "--quiet" || arg === "-q");
  if (!quiet) process.stderr.write(`Options from ${recipe.path}: ${recipe.added.join(" ")}\n`);
}
