import { splitPath } from "../gguf/split-name.ts";

const PART = /^(.*)-\d{5}-of-(\d{5})\.gguf$/;

/** No model has more parts; a name that speaks of more is only a name. */
const MOST_PARTS = 1000;

/**
 * The names that all parts of a split model have, by the name of one; of any other name itself. Whether a file is a part is
 * said by the file alone (`split.count`), which `readGguf` looks at; this is for files that are not here yet.
 */
export function allParts(name: string): string[] {
  const [, prefix, count] = PART.exec(name) ?? [];
  if (prefix === undefined || Number(count) < 1 || Number(count) > MOST_PARTS) return [name];
  return Array.from({ length: Number(count) }, (_, index) => splitPath(prefix, index, Number(count)));
}

/** The name without the number of its part. */
export function withoutPart(name: string): string {
  return name.replace(PART, "$1.gguf");
}
