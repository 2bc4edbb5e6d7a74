import { UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { auto } from "./auto.ts";
import { SELECTION_METHODS } from "./pure-methods.ts";
import { sleb } from "./sleb.ts";
import type { MeasuredMethod, SelectionMethod } from "./types.ts";

export { SELECTION_METHODS } from "./pure-methods.ts";

/** Every method: first those that decide from an Analysis alone, then those that measure. */
export const METHODS: readonly (SelectionMethod | MeasuredMethod)[] = [...SELECTION_METHODS, sleb, auto];

/** @throws UsageError `METHOD_UNKNOWN` */
export function findAnyMethod(name: string): SelectionMethod | MeasuredMethod {
  const method = METHODS.find((candidate) => candidate.name === name);
  if (method) return method;
  const names = METHODS.map((candidate) => candidate.name).join(", ");
  throw new UsageError(
    "METHOD_UNKNOWN",
    `There is no method "${name}": choose one of ${names}.${didYouMean(
      name,
      METHODS.map((candidate) => candidate.name),
    )}`,
  );
}

/** A method that needs no model. @throws UsageError `METHOD_UNKNOWN`, `METHOD_MEASURES` */
export function findMethod(name: string): SelectionMethod {
  const method = findAnyMethod(name);
  if (!isMeasured(method)) return method;
  throw new UsageError(
    "METHOD_MEASURES",
    `The method "${name}" measures the model itself, which is not loaded here: use prune, with \`dryRun\` to write nothing.`,
  );
}

export function isMeasured(method: SelectionMethod | MeasuredMethod): method is MeasuredMethod {
  return "measures" in method;
}
