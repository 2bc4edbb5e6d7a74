#!/usr/bin/env node
import { CommanderError } from "commander";
import { buildProgram } from "./program.ts";
import { addRecipe } from "./recipe.ts";
import { EXIT, run } from "./run.ts";

const NEWCOMER = `lorp makes local language models shallower.

  lorp inspect model.gguf                 what is in it, and what removing blocks would save
  lorp prune model.gguf --remove 5        measure, decide, write a smaller model, say what it cost
  lorp --help                             everything else
`;

/** Commander reports wrong use by itself; its exit status becomes ours. */
async function main(): Promise<void> {
  if (process.argv.length <= 2) {
    process.stdout.write(NEWCOMER);
    return;
  }
  const program = buildProgram();
  program.exitOverride();
  for (const command of program.commands) command.exitOverride();
  await run(() => addRecipe(program));
  if (process.exitCode !== undefined) return;
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}

await main();
