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
