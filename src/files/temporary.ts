import { createHash, randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { followLinks } from "./links.ts";
import { isAbandoned, OWNER, OWNER_PATTERN } from "./owner.ts";

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
 * `.model.gguf.lorp-<owner>-<random>.tmp`: what becomes `model.gguf` once it is whole. It is hidden, and its owner can
 * be told from the name.
 */
export function temporaryName(path: string): string {
  return join(dirname(path), `${prefixOf(path)}${OWNER}-${randomBytes(6).toString("hex")}.tmp`);
}

/** Bytes that a file's name may have on every usual file system, less what is put around it here. */
const MOST_BYTES = 255 - 60;

/** The same for every temporary name of a file, and another one for another file; a long name is cut. */
function prefixOf(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= MOST_BYTES) return `.${name}.lorp-`;
  return `.${createHash("sha256").update(name).digest("hex")}.lorp-`;
}

async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = prefixOf(path);
  const rest = new RegExp(`^(${OWNER_PATTERN})-[0-9a-f]{12}\\.tmp$`);
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = name.startsWith(prefix) ? rest.exec(name.slice(prefix.length))?.[1] : undefined;
    if (owner === undefined) continue;
    const leftover = join(folder, name);
    const modified = (await stat(leftover).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (isAbandoned(owner, modified)) await rm(leftover, { force: true });
  }
}
