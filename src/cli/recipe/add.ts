import { visibleCommands } from "../help/command-tree.ts";
import { printable } from "../printable.ts";
import { buildProgram } from "../program.ts";
import { readRecipe, withRecipe } from "./arguments.ts";

/**
 * Puts a recipe's options into the process's arguments, so that documents quote them, and says so.
 * @throws DocumentError
 */
export async function addRecipe(path: string): Promise<void> {
  const [node = "", lorp = "", ...args] = process.argv;
  const recipe = await readRecipe(path, visibleCommands(await buildProgram()), args);
  if (recipe === undefined || recipe.added.length === 0) return;
  process.argv = [node, lorp, ...withRecipe(args, recipe.added)];
  const quiet = process.argv.some((arg) => arg === "--quiet" || arg === "-q");
  if (!quiet)
    process.stderr.write(`${printable(`Options from ${recipe.path}: ${recipe.added.join(" ")}`)}\n`);
}
