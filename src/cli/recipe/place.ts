import { existsSync } from "node:fs";

/** The recipe that is used if it is there. */
export const DEFAULT_RECIPE = "lorp.config.json";

/** The arguments that can be options: those before `--`. */
export function optionArguments(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

/** Whether the command line names its recipe, and takes not just the one that lies there. */
export function isNamed(args: readonly string[]): boolean {
  return optionArguments(args).some((arg) => CONFIG.test(arg));
}

const CONFIG = /^--config(=|$)/;

/**
 * Where the recipe for a command line is; undefined if there is none, or help is asked for, which a bad one must not stop.
 * @param args the command line without node and lorp
 */
export function recipePath(args: readonly string[]): string | undefined {
  const options = optionArguments(args);
  if (options.some((arg) => arg === "--help" || arg === "-h")) return undefined;
  const at = options.findIndex((arg) => CONFIG.test(arg));
  if (at < 0) return existsSync(DEFAULT_RECIPE) ? DEFAULT_RECIPE : undefined;
  return options[at]?.includes("=") ? options[at].slice("--config=".length) : options[at + 1];
}
