import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { CachePlace } from "./cache-place.ts";

/** Values that are kept from one run to the next, each under a name of its own. */
export interface KeptValues {
  get(name: string): unknown;
  /**
   * Adds a value that JSON can hold; an interrupted run loses none.
   * @throws UsageError `CACHE_UNWRITABLE`, and what the check throws
   */
  add(name: string, value: unknown): Promise<void>;
}

/**
 * Values in a file of lines, one each, to which several runs may add at a time: a line that is damaged, as by a run that
 * was killed while it wrote, is passed over.
 * @param check what must hold of what is added; it is not added if this throws
 */
export async function openKeptValues(
  { stem, unwritable }: CachePlace,
  check: () => Promise<void> = async () => {},
): Promise<KeptValues> {
  const path = `${stem}.jsonl`;
  const text = await readFile(path, "utf8").catch(() => "");
  const values = new Map(text.split("\n").flatMap((line) => readLine(line)));
  // A line that was never finished must not spoil the next.
  let separator = text === "" || text.endsWith("\n") ? "" : "\n";
  return {
    get: (name) => values.get(name),
    async add(name, value) {
      await check();
      values.set(name, value);
      try {
        appendFileSync(path, `${separator}${JSON.stringify([name, value])}\n`);
      } catch (error) {
        unwritable(error as NodeJS.ErrnoException);
      }
      separator = "";
    },
  };
}

/** Values that this run alone knows. */
export function valuesInMemory(): KeptValues {
  const values = new Map<string, unknown>();
  return { get: (name) => values.get(name), add: async (name, value) => void values.set(name, value) };
}

function readLine(line: string): [name: string, value: unknown][] {
  try {
    const entry: unknown = JSON.parse(line);
    return Array.isArray(entry) && typeof entry[0] === "string" ? [[entry[0], entry[1]]] : [];
  } catch {
    return [];
  }
}
