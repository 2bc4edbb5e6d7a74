import { readlink, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * The file that a path names in the end, be it there or not: where a symbolic link leads, else the path itself. Throws
 * what Node throws, such as for links in a circle.
 */
export async function followLinks(path: string): Promise<string> {
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined) return path;
  return realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return followLinks(resolve(dirname(path), target));
    throw error;
  });
}
