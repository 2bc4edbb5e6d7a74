import { existsSync } from "node:fs";

/** The recipe that is used if it is there. */
export const DEFAULT_RECIPE = "lorp.config.json";

/**
 * Where the recipe for a command line is; undefined if there is none.
 * @param args the command line without node and lorp
 */
export function recipePath(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => /^--config(=|$)/.test(arg));
  if (at < 0) return existsSync(DEFAULT_RECIPE) ? DEFAULT_RECIPE : undefined;
  return args[at]?.includes("=") ? args[at].slice("--config=".length) : args[at + 1];
}
