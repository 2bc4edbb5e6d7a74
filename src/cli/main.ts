#!/usr/bin/env node
import { CommanderError } from "commander";
import { buildProgram } from "./program.ts";
import { recipePath } from "./recipe/place.ts";

const NEWCOMER = `lorp makes local language models shallower.

  lorp inspect model.gguf                 its layers, and what removing some saves
  lorp prune model.gguf --remove 5        measure, decide, write it, say the cost
  lorp --help                             everything else
`;

/** Commander reports wrong use by itself; its exit status becomes ours. What help needs not is loaded when it is needed. */
async function main(): Promise<void> {
  process.stdout.on("error", stopWriting);
  // Where a file may not grow the system would end the process; so the write fails instead.
  process.on("SIGXFSZ", () => {});
  if (process.argv.length <= 2) {
    process.stdout.write(NEWCOMER);
    return;
  }
  const args = process.argv.slice(2);
  const recipe = recipePath(args);
  if (recipe !== undefined && !(await useRecipe(recipe))) return;
  const program = await buildProgram(args);
  program.exitOverride();
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    const { EXIT } = await import("./run.ts");
    process.exitCode = EXIT.usage;
  }
}

/** Nobody reads on, as after `| head`, or there is no room: what was to be done is done, only not told. */
function stopWriting({ code }: NodeJS.ErrnoException): never {
  if (code === "EPIPE") process.exit();
  process.stderr.write(`lorp: The output cannot be written (${code}); send it elsewhere.\n`);
  process.exit(1);
}

/** @returns whether it could be used */
async function useRecipe(path: string): Promise<boolean> {
  const { addRecipe } = await import("./recipe/add.ts");
  const { run } = await import("./run.ts");
  await run(() => addRecipe(path));
  return process.exitCode === undefined;
}

await main();
