import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../errors.ts";

/** Everything that what is kept depends on, to the last bit; plain JSON. */
export type CacheKey = Readonly<Record<string, string | number | boolean>>;

/** Where in the cache folder something is kept. */
export interface CachePlace {
  /** Path without an ending; the same for the same key, whatever the order of its fields. */
  readonly stem: string;
  /** Tells a user what to do where it cannot be written. @throws UsageError `CACHE_UNWRITABLE` */
  unwritable(cause: NodeJS.ErrnoException): never;
}

/**
 * @param folder lorp's cache folder; undefined where there is none
 * @param kind of what is kept, a folder in it, which is made
 * @throws UsageError `CACHE_UNWRITABLE`, before any work is done
 */
export async function openCachePlace(
  folder: string | undefined,
  kind: string,
  key: CacheKey,
): Promise<CachePlace> {
  if (folder === undefined) {
    throw new UsageError(
      "CACHE_UNWRITABLE",
      "There is no home folder to keep measurements in: set HOME or XDG_CACHE_HOME, or use `cache: false`.",
    );
  }
  const inside = join(folder, kind);
  const unwritable = (cause: NodeJS.ErrnoException): never => {
    throw new UsageError(
      "CACHE_UNWRITABLE",
      `The cache folder ${inside} cannot be written to (${cause.code}): make it writable, make room, or use \`cache: false\`.`,
      { cause },
    );
  };
  await mkdir(inside, { recursive: true }).catch(unwritable);
  return { stem: join(inside, digest(key)), unwritable };
}

function digest(key: CacheKey): string {
  const sorted = Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex");
}
