import { link, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { checkDestinations } from "./destinations.ts";
import { writeFailure } from "./errors.ts";
import type { NamedFile } from "./io.ts";
import { temporaryPlace } from "./temporary.ts";

/** A file that is being written beside its destination. */
export interface StagedFile extends NamedFile {
  /** Where it will stand; no symbolic link. */
  readonly path: string;
  /** Where it stands now. */
  readonly temporary: string;
}

/** Refuses a model's destination that cannot be meant, before any work is done. @throws OutputError */
export function checkOutput(path: string, inputs: readonly string[], force: boolean): Promise<void> {
  return checkDestinations([{ path, holds: "model", replace: force }], inputs);
}

/**
 * Opens a new file beside `path`, of a symbolic link beside the file that it names. Who may read it is as with the file
 * that it replaces, or else with the one that it is made from.
 * @param mode of the file that it is made from
 * @throws OutputError
 */
export async function stage(path: string, mode: number): Promise<StagedFile> {
  try {
    const { place, temporary } = await temporaryPlace(path);
    const handle = await open(temporary, "wx", (mode & 0o666) | 0o600);
    const replaced = await stat(place).catch(() => undefined);
    if (replaced !== undefined) await handle.chmod((replaced.mode & 0o777) | 0o600);
    return { path: place, temporary, handle };
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/** Takes back what was staged. */
export async function discard(staged: readonly StagedFile[]): Promise<void> {
  for (const { handle, temporary } of staged) {
    await handle.close();
    await rm(temporary, { force: true });
  }
}

/**
 * Makes finished files durable and puts them in their places, the first one last: a split model is opened by its
 * first part, so it is there whole or not at all.
 * @param force replace what stands there; otherwise whoever comes second fails with `OUTPUT_EXISTS`
 */
export async function commit(staged: readonly StagedFile[], force: boolean): Promise<void> {
  for (const { path, handle } of staged) {
    await handle.sync().catch((error: unknown) => {
      throw writeFailure(path, error);
    });
    await handle.close();
  }
  const placed: string[] = [];
  try {
    if (force && staged.length > 1) await rm(staged[0]!.path, { force: true });
    for (const { temporary, path } of staged.toReversed()) {
      await (force ? rename(temporary, path) : moveToFreeName(temporary, path)).catch((error: unknown) => {
        throw writeFailure(path, error);
      });
      placed.push(path);
    }
  } catch (error) {
    for (const path of placed) await rm(path, { force: true });
    throw error;
  }
  await syncFolder(dirname(staged[0]!.path));
}

/** The codes of file systems that have no hard links (FAT, some network ones). */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Renames, but never over an existing file, even if it comes to exist at this moment. */
async function moveToFreeName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    const reserved = await open(path, "wx");
    await reserved.close();
    await rename(temporary, path);
    return;
  }
  await rm(temporary);
}

/** Makes the new names durable too. Windows has no such call, and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
