import { constants } from "node:fs";
import { type FileHandle, open, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** The end of the name of a file that is not whole yet: `m.gguf.<version>.part`. */
const PARTIAL = ".part";

/** Where the bytes of a version of a file go until all are there. */
export function partialPath(destination: string, version: string): string {
  return `${destination}.${version}${PARTIAL}`;
}

/**
 * Opens what an earlier run has fetched of a file, or begins it. What is no file of this user's alone (a link, another
 * user's file) is none of ours and begun anew. Throws what Node throws.
 */
export async function openPartial(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
  const found = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ELOOP" && error.code !== "EMLINK") throw error;
  });
  if (found !== undefined) {
    const stats = await found.stat();
    const { nlink, uid } = stats;
    if (stats.isFile() && nlink === 1 && uid === (process.getuid?.() ?? uid)) return found;
    await found.close();
  }
  await rm(path);
  return open(path, O_RDWR | O_CREAT | O_EXCL);
}

/** Removes what was fetched of other versions of a file. */
export async function removeOtherVersions(destination: string, partial: string): Promise<void> {
  const folder = dirname(destination);
  const prefix = `${basename(destination)}.`;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.startsWith(prefix) && name.endsWith(PARTIAL) && path !== partial)
      await rm(path, { force: true });
  }
}
