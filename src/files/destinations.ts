import { access, constants, lstat, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { OutputError, writeFailure } from "./errors.ts";
import { followLinks } from "./links.ts";

/** A file that is to be written. */
export interface Destination {
  readonly path: string;
  /** A text can also go to a device or a pipe; a model is not written from front to back, which only a file allows. */
  readonly holds: "text" | "model";
  /** Whether a file that is there may be replaced. */
  readonly replace: boolean;
}

/**
 * Refuses destinations that cannot be meant, before any work is done.
 * @param inputs every file that is read
 * @throws OutputError `OUTPUT_IS_INPUT` and `OUTPUT_TWICE` (by any name: link, symbolic link), `OUTPUT_EXISTS`,
 *   `OUTPUT_IS_FOLDER`, `OUTPUT_NO_FILE`, `OUTPUT_FOLDER_MISSING`, `OUTPUT_NOT_WRITABLE`
 */
export async function checkDestinations(
  destinations: readonly Destination[],
  inputs: readonly string[],
): Promise<void> {
  const read = new Map<string | undefined, string>();
  for (const input of inputs) read.set(await identity(input).catch(() => undefined), input);
  const written = new Map<string, string>();
  for (const destination of destinations) {
    const { path } = destination;
    try {
      const key = await identity(path);
      if (key !== undefined) {
        if (read.has(key)) throw isInput(path, read.get(key)!);
        if (written.has(key)) throw isTwice(path, written.get(key)!);
        written.set(key, path);
      }
      await checkPlace(destination);
    } catch (error) {
      throw writeFailure(path, error);
    }
  }
}

/**
 * The same for all names of a file, be it there or not; undefined for what is no file: a device or a pipe can be read
 * and written, and written twice.
 */
async function identity(path: string): Promise<string | undefined> {
  const target = await stat(path, { bigint: true }).catch(() => undefined);
  if (target !== undefined) return target.isFile() ? `${target.dev}:${target.ino}` : undefined;
  const place = await followLinks(path);
  const folder = await realpath(dirname(place)).catch(() => resolve(dirname(place)));
  return join(folder, basename(place));
}

async function checkPlace({ path, holds, replace }: Destination): Promise<void> {
  const target = await stat(path).catch(() => undefined);
  if (target?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  if (target !== undefined && !target.isFile()) {
    if (holds === "model") throw isNoFile(path);
    return access(path, constants.W_OK);
  }
  // A link that leads nowhere yet is there, too.
  const present = await lstat(path).catch(() => undefined);
  if (present !== undefined && !replace) throw Object.assign(new Error(), { code: "EEXIST" });
  const folder = dirname(await followLinks(path));
  if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
  await access(folder, constants.W_OK);
}

const isInput = (path: string, input: string) =>
  new OutputError(
    "OUTPUT_IS_INPUT",
    `${path} is the input itself (${input}); choose another name for the output.`,
  );

const isTwice = (path: string, other: string) =>
  new OutputError(
    "OUTPUT_TWICE",
    `${path === other ? `${path} is` : `${path} and ${other} are one file that is`} to be written twice; give each output a name of its own.`,
  );

const isNoFile = (path: string) =>
  new OutputError(
    "OUTPUT_NO_FILE",
    `${path} is a device or a pipe, and a model can only be written to a file; give the name of one.`,
  );
