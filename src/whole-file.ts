import { open, rename, rm } from "node:fs/promises";
import { removeLeftovers, temporaryName } from "./temporary-file.ts";

/** Writes a small file whole or not at all, replacing an older one. Throws what Node throws. */
export async function writeWhole(path: string, content: string): Promise<void> {
  await removeLeftovers(path);
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
