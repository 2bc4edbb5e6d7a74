import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { LorpError } from "../errors.ts";
import { readGguf } from "../gguf/read.ts";
import { allParts } from "./parts.ts";

/**
 * The models in a folder and those below it, by path there with slashes; of split models that are complete the first
 * part. A folder that is not there has none.
 */
export async function ggufFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true }).catch(() => []))
    .map((name) => name.split(sep).join("/"))
    .filter((name) => name.endsWith(".gguf"));
  const there = new Set(names);
  const models: string[] = [];
  for (const name of names) {
    const parts = allParts(name);
    if (parts.every((part) => there.has(part)) ? name === parts[0] : await isWhole(join(folder, name)))
      models.push(name);
  }
  return models;
}

/** Whether a file that has a part's name is a model of its own all the same. */
async function isWhole(path: string): Promise<boolean> {
  return readGguf(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof LorpError) return false;
      throw error;
    },
  );
}
