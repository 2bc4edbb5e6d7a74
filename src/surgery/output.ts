import { randomBytes } from "node:crypto";
import { link, lstat, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { NamedFile } from "./copy.ts";
import { SurgeryError, writeFailure } from "./errors.ts";

/** A file that is being written beside its destination. */
export interface StagedFile extends NamedFile {
  /** Where it will stand. */
  readonly path: string;
  /** Where it stands now. */
  readonly temporary: string;
}

/**
 * Refuses a destination that cannot be meant, before any work is done.
 * @throws SurgeryError `OUTPUT_IS_INPUT` (by any name: link, symbolic link), `OUTPUT_EXISTS`, `OUTPUT_IS_FOLDER`
 */
export async function checkOutput(path: string, inputs: readonly string[], force: boolean): Promise<void> {
  const present = await lstat(path).catch(() => undefined);
  if (present === undefined) return;
  const target = await stat(path, { bigint: true }).catch(() => undefined);
  for (const input of inputs) {
    const { dev, ino } = await stat(input, { bigint: true });
    if (target?.dev === dev && target.ino === ino) {
      throw new SurgeryError(
        "OUTPUT_IS_INPUT",
        `${path} is the input itself (${input}); choose another name for the output.`,
      );
    }
  }
  if (target?.isDirectory()) throw writeFailure(path, Object.assign(new Error(), { code: "EISDIR" }));
  if (!force) throw writeFailure(path, Object.assign(new Error(), { code: "EEXIST" }));
}

/** `.model.gguf.lorp-<process>-<random>.tmp`: hidden, and its owner can be told from the name. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.lorp-${process.pid}-${randomBytes(6).toString("hex")}.tmp`);
}

/** Opens a new file beside `path`. @throws SurgeryError */
export async function stage(path: string): Promise<StagedFile> {
  const temporary = temporaryName(path);
  try {
    return { path, temporary, handle: await open(temporary, "wx") };
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

/** Removes what killed runs to the same destination left behind. */
export async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `.${basename(path)}.lorp-`;
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = name.startsWith(prefix)
      ? /^(\d+)-[0-9a-f]{12}\.tmp$/.exec(name.slice(prefix.length))
      : null;
    if (owner === null) continue;
    const leftover = join(folder, name);
    if (await isAbandoned(leftover, Number(owner[1]))) await rm(leftover, { force: true });
  }
}

async function isAbandoned(temporary: string, pid: number): Promise<boolean> {
  if (pid === process.pid) {
    // In a container every run may have the same number: what is older than this process is not this process's.
    const started = Date.now() - process.uptime() * 1000;
    const { mtimeMs } = await stat(temporary).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    return mtimeMs < started;
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
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
