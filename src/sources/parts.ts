import { splitPath } from "../gguf/split-name.ts";

const PART = /^(.*)-\d{5}-of-(\d{5})\.gguf$/;

/** The names of all parts of a split model of which one is named; of an unsplit model its own. */
export function allParts(name: string): string[] {
  const [, prefix, count] = PART.exec(name) ?? [];
  if (prefix === undefined) return [name];
  return Array.from({ length: Number(count) }, (_, index) => splitPath(prefix, index, Number(count)));
}

/** The name without the number of its part. */
export function withoutPart(name: string): string {
  return name.replace(PART, "$1.gguf");
}
