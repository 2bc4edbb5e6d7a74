import { randomBytes } from "node:crypto";
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { AbortedError, throwIfAborted } from "../errors.ts";
import { isAbandoned, OWNER } from "./owner.ts";

/** How often a lock's holder says that it lives, and after how long without that it counts as gone, milliseconds. */
const BEAT = 5_000;
const PATIENCE = 60_000;

/** How often one who waits looks again, milliseconds. */
const LOOK = 200;

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called again and again while another process holds the lock. */
  readonly onWait?: (() => Promise<void>) | undefined;
}

/**
 * Does work while no other process does any under the same lock file; waits for one that lives and takes over from one
 * that has ended. Throws what Node throws, and AbortedError.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { signal, onWait }: LockOptions = {},
): Promise<T> {
  while (!(await take(path))) {
    throwIfAborted(signal);
    await onWait?.();
    await sleep(LOOK, undefined, { signal }).catch(() => {
      throw new AbortedError();
    });
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, BEAT);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  for (;;) {
    try {
      await writeFile(path, OWNER, { flag: "wx" });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = await readFile(path, "utf8").catch(() => undefined);
    const modified = (await stat(path).catch(() => undefined))?.mtimeMs;
    // The holder has just let go.
    if (holder === undefined || modified === undefined) continue;
    if (!isAbandoned(holder, modified, PATIENCE)) return false;
    // Of several that see this only one can rename it.
    const aside = `${path}.${randomBytes(6).toString("hex")}`;
    await rename(path, aside).then(
      () => rm(aside, { force: true }),
      () => {},
    );
  }
}
