import { open, rename, rm, stat, writeFile } from "node:fs/promises";
import { temporaryPlace } from "./temporary.ts";

/**
 * Writes a small file whole or not at all, replacing an older one; a symbolic link stays, and the file that it names is
 * written. Into a device or a pipe the content is written straight. Throws what Node throws.
 */
export async function writeWhole(path: string, content: string): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present?.isFile() === false) return writeFile(path, content);
  const { place, temporary } = await temporaryPlace(path);
  try {
    const file = await open(temporary, "wx");
    try {
      if (present !== undefined) await file.chmod(present.mode & 0o777);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, place);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
