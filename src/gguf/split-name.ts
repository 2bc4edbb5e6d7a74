import { basename, dirname, join } from "node:path";

const pad = (n: number) => String(n).padStart(5, "0");

/** Path of part `index` (from 0) of `count`, as llama.cpp's `llama_split_path` names it. */
export function splitPath(prefix: string, index: number, count: number): string {
  return `${prefix}-${pad(index + 1)}-of-${pad(count)}.gguf`;
}

/** The prefix `splitPath` made `path` from, or undefined when the name is not that part's. */
export function splitPrefix(path: string, index: number, count: number): string | undefined {
  const suffix = splitPath("", index, count);
  const name = basename(path);
  return name.length > suffix.length && name.endsWith(suffix)
    ? join(dirname(path), name.slice(0, -suffix.length))
    : undefined;
}
