import { UsageError } from "../errors.ts";
import { angular } from "./angular.ts";
import { last } from "./last.ts";
import { lorp } from "./lorp.ts";
import { random } from "./random.ts";
import { shortgpt } from "./shortgpt.ts";
import { streamline } from "./streamline.ts";
import type { SelectionMethod } from "./types.ts";

/** The methods that decide from an Analysis alone. */
export const SELECTION_METHODS: readonly SelectionMethod[] = [
  lorp,
  shortgpt,
  streamline,
  angular,
  last,
  random,
];

/** @throws UsageError `METHOD_UNKNOWN` */
export function findMethod(name: string): SelectionMethod {
  const method = SELECTION_METHODS.find((candidate) => candidate.name === name);
  if (method) return method;
  const names = SELECTION_METHODS.map((candidate) => candidate.name).join(", ");
  throw new UsageError("METHOD_UNKNOWN", `There is no method "${name}": choose one of ${names}.`);
}
