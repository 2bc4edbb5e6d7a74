import { randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { followLinks } from "./links.ts";

/** Where a file is written until it is whole. */
export interface TemporaryPlace {
  /** Where it will stand: the path asked for, of a symbolic link the file that it names. */
  readonly place: string;
  /** Where to write it. */
  readonly temporary: string;
}

/** A place to write a file to, cleared of what killed runs to the same destination left behind. Throws what Node throws. */
export async function temporaryPlace(path: string): Promise<TemporaryPlace> {
  const place = await followLinks(path);
  await removeLeftovers(place);
  return { place, temporary: temporaryName(place) };
}

/**
 * `.model.gguf.lorp-<process>-<random>.tmp`: what becomes `model.gguf` once it is whole. It is hidden, and its owner can
 * be told from the name.
 */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.lorp-${process.pid}-${randomBytes(6).toString("hex")}.tmp`);
}

async function removeLeftovers(path: string): Promise<void> {
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
