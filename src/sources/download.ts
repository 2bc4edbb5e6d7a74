import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { AbortedError, throwIfAborted } from "../errors.ts";
import { withLock } from "../files/lock.ts";
import { GgufError } from "../gguf/errors.ts";
import { type Connection, connect } from "./connection.ts";
import {
  broken,
  changed,
  failedRequest,
  notGguf,
  unreachable,
  unwritable,
  withoutEnd,
  wrongChecksum,
  wrongLength,
} from "./download-errors.ts";
import { SourceError } from "./errors.ts";
import { createLimit } from "./limit.ts";
import { openPartial, partialPath, removeOtherVersions } from "./partial.ts";
import type { Download, Remote } from "./remote.ts";

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes that are there, of all bytes (of all files). */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** First pause before trying again, milliseconds; doubled each time. */
  readonly pause?: number;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly patience?: number;
}

/** Broken connections in a row, without a byte between them, that are borne. */
const ATTEMPTS = 5;

/** Servers are asked about so many files at a time. */
const ASKED_AT_ONCE = 8;

/**
 * Fetches files one after the other, each whole or not at all. What a broken or stopped download has fetched stays
 * beside the destination and is gone on with next time, if the server still has the same version. Of several processes
 * that want one file, one fetches it and the others wait.
 *
 * (node-llama-cpp's own downloader is not used: it leaves a damaged file of the right length when a server without
 * range requests breaks the connection or sends fewer bytes than it promised, and retries a dead server for minutes.)
 * @throws SourceError `DOWNLOAD_…`
 */
export async function downloadAll(
  downloads: readonly Download[],
  options: DownloadOptions = {},
): Promise<void> {
  const remotes: Remote[] = [];
  for (let from = 0; from < downloads.length; from += ASKED_AT_ONCE) {
    const some = downloads.slice(from, from + ASKED_AT_ONCE);
    remotes.push(...(await Promise.all(some.map((download) => probe(download, options)))));
  }
  const total = remotes.reduce((sum, { size = 0 }) => sum + size, 0);
  let finished = 0;
  for (const remote of remotes) {
    const before = finished;
    finished += await fetchWhole(remote, {
      ...options,
      onProgress: (done) => options.onProgress?.(before + done, Math.max(total, before + done)),
    });
  }
}

/** Asks for the first byte: not every server answers HEAD, and the answer shows whether ranges work. */
async function probe(download: Download, options: DownloadOptions): Promise<Remote> {
  const { url, destination, headers } = download;
  const { response, sha256, release } = await connect(url, {
    ...options,
    headers: { ...headers, range: "bytes=0-0" },
  }).catch((cause) => {
    throw cause instanceof SourceError ? cause : unreachable(url, cause, options.signal);
  });
  release();
  await response.body?.cancel();
  if (!response.ok) throw failedRequest(basename(destination), response);
  const inParts = response.status === 206;
  const length = inParts ? contentRange(response)?.total : response.headers.get("content-length");
  const size = length && /^\d+$/.test(length) ? Number(length) : undefined;
  const validator = validatorOf(response);
  const resumable = inParts && size !== undefined && (validator ?? sha256) !== undefined;
  const version = createHash("sha256").update(`${validator} ${sha256} ${size}`).digest("hex").slice(0, 12);
  return {
    ...download,
    size,
    resumable,
    validator,
    sha256,
    partial: partialPath(destination, version),
  };
}

/** A strong entity tag, or a date that is as good (RFC 9110, 8.8.2.2 and 8.8.3): only these say that no byte differs. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get("etag");
  if (etag !== null) return etag.startsWith("W/") ? undefined : etag;
  const modified = headers.get("last-modified");
  const age = Date.parse(headers.get("date") ?? "") - Date.parse(modified ?? "");
  return modified !== null && age >= 60_000 ? modified : undefined;
}

/** @returns the file's bytes */
async function fetchWhole(remote: Remote, options: DownloadOptions): Promise<number> {
  const { destination, partial } = remote;
  const { signal, onProgress } = options;
  try {
    await mkdir(dirname(destination), { recursive: true });
    const onWait = async () => onProgress?.((await sizeOf(partial)) ?? 0, remote.size ?? 0);
    return await withLock(`${destination}.lock`, () => fetchLocked(remote, options), { signal, onWait });
  } catch (cause) {
    throw isSystemError(cause) ? unwritable(destination, cause) : cause;
  }
}

async function fetchLocked(remote: Remote, options: DownloadOptions): Promise<number> {
  const { destination, partial } = remote;
  // Another process may have fetched it while this one waited.
  const present = await sizeOf(destination);
  if (present !== undefined) return present;
  await removeOtherVersions(destination, partial);
  const file = await openPartial(partial);
  let size: number;
  try {
    size = await fetchAllBytes(remote, file, options);
    await file.sync();
  } finally {
    await file.close();
  }
  await checkContent(remote, options.signal);
  await rename(partial, destination);
  return size;
}

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );

/** Fetches what the partial file lacks, trying again when the connection breaks. @returns its size */
async function fetchAllBytes(remote: Remote, file: FileHandle, options: DownloadOptions): Promise<number> {
  const { size, resumable } = remote;
  if (!resumable || (await file.stat()).size > size!) await file.truncate();
  for (let failures = 0; ; ) {
    const before = (await file.stat()).size;
    if (before === size) return before;
    const breach = await fetchOnce(remote, file, before, options);
    const after = (await file.stat()).size;
    if (size === undefined ? breach === undefined : after === size) return after;
    failures = resumable && after > before ? 0 : failures + 1;
    if (failures === ATTEMPTS) throw broken(remote, after, breach, ATTEMPTS);
    if (!resumable) await file.truncate();
    await sleep((options.pause ?? 1000) * 2 ** failures, undefined, { signal: options.signal }).catch(() => {
      throw new AbortedError();
    });
  }
}

/**
 * Appends what one response brings.
 * @returns what broke the connection, undefined if the response came to its end
 */
async function fetchOnce(
  remote: Remote,
  file: FileHandle,
  offset: number,
  options: DownloadOptions,
): Promise<unknown> {
  const headers = {
    ...remote.headers,
    ...(remote.resumable && { range: `bytes=${offset}-` }),
    ...(remote.resumable && remote.validator !== undefined && { "if-range": remote.validator }),
  };
  let connection: Connection | undefined;
  try {
    connection = await connect(remote.url, { ...options, headers });
    const { response, alive } = connection;
    if (response.status >= 500 || response.status === 429) return `status ${response.status}`;
    if (response.status === 416) {
      await file.truncate();
      return "it does not have the rest that it announced";
    }
    if (!response.ok) throw failedRequest(basename(remote.destination), response);
    let done = await startOf(response, remote, file, offset);
    const isPossible = remote.size === undefined ? createLimit(file, remote.destination) : undefined;
    for await (const chunk of response.body ?? []) {
      const bytes = chunk as Uint8Array;
      if (done + bytes.length > (remote.size ?? Number.POSITIVE_INFINITY)) {
        throw await discarded(remote, wrongLength(remote, "more came"));
      }
      for (let from = 0; from < bytes.length; ) {
        from += (await file.write(bytes, from, bytes.length - from, done + from)).bytesWritten;
      }
      alive();
      done += bytes.length;
      if (isPossible && !(await isPossible(done))) throw await discarded(remote, withoutEnd(remote));
      options.onProgress?.(done, remote.size ?? done);
    }
    return undefined;
  } catch (error) {
    if (error instanceof SourceError || isSystemError(error)) throw error;
    if (error instanceof GgufError) throw await discarded(remote, notGguf(remote));
    throwIfAborted(options.signal);
    return error;
  } finally {
    connection?.release();
  }
}

/** Where the response's bytes belong; a response with the whole file replaces what is there. */
async function startOf(
  response: Response,
  remote: Remote,
  file: FileHandle,
  offset: number,
): Promise<number> {
  // Not every server heeds If-Range, nor says again what it sends from the beginning.
  const validator = validatorOf(response);
  const isSame = validator === remote.validator || (validator === undefined && offset === 0);
  if (!isSame) throw await discarded(remote, changed(remote));
  if (response.status !== 206) {
    await file.truncate();
    return 0;
  }
  const range = contentRange(response);
  if (range?.start === String(offset) && range.total === String(remote.size)) return offset;
  const found = `the server's range is ${response.headers.get("content-range")}`;
  throw await discarded(remote, wrongLength(remote, found));
}

function contentRange(response: Response): { start?: string; total?: string } | undefined {
  return /^bytes (?<start>\d+)-\d+\/(?<total>\d+|\*)$/.exec(response.headers.get("content-range") ?? "")
    ?.groups;
}

/** Refuses a file that is no GGUF, or another than the server said it is. */
async function checkContent(remote: Remote, signal: AbortSignal | undefined): Promise<void> {
  const { partial, sha256 } = remote;
  let magic = "";
  for await (const chunk of createReadStream(partial, { end: 3 })) magic += chunk.toString("latin1");
  if (magic !== "GGUF") throw await discarded(remote, notGguf(remote));
  if (sha256 === undefined) return;
  const hash = createHash("sha256");
  await pipeline(createReadStream(partial, { highWaterMark: 2 ** 20 }), hash, { signal }).catch((error) => {
    throwIfAborted(signal);
    throw error;
  });
  if (hash.digest("hex") !== sha256) throw await discarded(remote, wrongChecksum(remote));
}

/** Takes away what was fetched and cannot be used. */
async function discarded({ partial }: Remote, error: SourceError): Promise<SourceError> {
  await rm(partial, { force: true });
  return error;
}

/** An error of the file system; those of the network come wrapped by `fetch`. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
}
