import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AbortedError, throwIfAborted } from "../errors.ts";
import { failedRequest, networkReason, unreachable } from "./download-errors.ts";
import { SourceError } from "./errors.ts";

/** A file to fetch. */
export interface Download {
  readonly url: URL;
  readonly destination: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes that are there, of all bytes (of all files). */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** First pause before trying again, milliseconds; doubled each time. */
  readonly pause?: number;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly patience?: number;
}

/** A file as its server describes it. */
interface Remote extends Download {
  /** Bytes; undefined if the server does not say. */
  readonly size: number | undefined;
  /** The server can send the rest of a file. */
  readonly resumable: boolean;
  /** Says which version of the file the server has; undefined if it does not say. */
  readonly etag: string | undefined;
  /** Where the bytes go until all are there; another name for another version. */
  readonly partial: string;
}

const PARTIAL = ".part";

/** Broken connections in a row, without a byte between them, that are borne. */
const ATTEMPTS = 5;

/**
 * Fetches files one after the other, each whole or not at all. What a broken or stopped download has fetched stays
 * beside the destination and is gone on with next time, if the server still has the same version.
 *
 * (node-llama-cpp's own downloader is not used: it leaves a damaged file of the right length when a server without
 * range requests breaks the connection or sends fewer bytes than it promised, and retries a dead server for minutes.)
 * @throws SourceError `DOWNLOAD_…`
 */
export async function downloadAll(
  downloads: readonly Download[],
  options: DownloadOptions = {},
): Promise<void> {
  const remotes = await Promise.all(downloads.map((download) => probe(download, options)));
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
  const { response, release } = await request(download, { range: "bytes=0-0" }, options).catch((cause) => {
    throw unreachable(download.url, cause, options.signal);
  });
  release();
  await response.body?.cancel();
  if (!response.ok) throw failedRequest(basename(download.destination), response);
  const resumable = response.status === 206;
  const length = resumable ? contentRange(response)?.total : response.headers.get("content-length");
  const size = length && /^\d+$/.test(length) ? Number(length) : undefined;
  const etag = response.headers.get("etag") ?? undefined;
  const version = createHash("sha256").update(`${etag} ${size}`).digest("hex").slice(0, 12);
  return { ...download, size, resumable, etag, partial: `${download.destination}.${version}${PARTIAL}` };
}

/** @returns the file's bytes */
async function fetchWhole(remote: Remote, options: DownloadOptions): Promise<number> {
  const { destination, partial } = remote;
  try {
    await mkdir(dirname(destination), { recursive: true });
    await removeOtherVersions(remote);
    const file = await open(partial, "a");
    let size: number;
    try {
      size = await fetchAllBytes(remote, file, options);
      await file.sync();
    } finally {
      await file.close();
    }
    await checkMagic(remote);
    await rename(partial, destination);
    return size;
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw new SourceError(
      "DOWNLOAD_UNWRITABLE",
      `Cannot write ${destination} (${cause.code}); check the folder's permissions and free space, or choose another with LORP_MODELS.`,
      { cause },
    );
  }
}

async function removeOtherVersions({ destination, partial }: Remote): Promise<void> {
  const folder = dirname(destination);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const ours = path.startsWith(`${destination}.`) && path.endsWith(PARTIAL);
    if (ours && path !== partial) await rm(path, { force: true });
  }
}

/** Fetches what the partial file lacks, trying again when the connection breaks. @returns its size */
async function fetchAllBytes(remote: Remote, file: FileHandle, options: DownloadOptions): Promise<number> {
  const { size, resumable } = remote;
  for (let failures = 0; ; ) {
    if (!resumable) await file.truncate();
    const before = (await file.stat()).size;
    if (before === size) return before;
    const breach = await fetchOnce(remote, file, before, options);
    const after = (await file.stat()).size;
    if (size === undefined ? breach === undefined : after === size) return after;
    if (size !== undefined && after > size) throw await wrongLength(remote, `${after} bytes came`);
    failures = resumable && after > before ? 0 : failures + 1;
    if (failures === ATTEMPTS) throw broken(remote, after, breach);
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
    ...(remote.resumable && { range: `bytes=${offset}-` }),
    // Only strong validators may guard a range (RFC 9110, 13.1.5).
    ...(remote.etag && !remote.etag.startsWith("W/") && { "if-range": remote.etag }),
  };
  let connection: Connection | undefined;
  try {
    connection = await request(remote, headers, options);
    const { response, alive } = connection;
    if (response.status >= 500 || response.status === 429) return `status ${response.status}`;
    if (!response.ok) throw failedRequest(basename(remote.destination), response);
    let done = await startOf(response, remote, file, offset);
    for await (const chunk of response.body ?? []) {
      await file.writeFile(chunk);
      alive();
      done += chunk.length;
      options.onProgress?.(done, remote.size ?? done);
    }
    return undefined;
  } catch (error) {
    if (error instanceof SourceError || isSystemError(error)) throw error;
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
  if (response.status !== 206) {
    await file.truncate();
    return 0;
  }
  const range = contentRange(response);
  if (range?.start === String(offset) && range.total === String(remote.size)) return offset;
  throw await wrongLength(remote, `the server's range is ${response.headers.get("content-range")}`);
}

function contentRange(response: Response): { start?: string; total?: string } | undefined {
  return /^bytes (?<start>\d+)-\d+\/(?<total>\d+|\*)$/.exec(response.headers.get("content-range") ?? "")
    ?.groups;
}

interface Connection {
  readonly response: Response;
  /** Says that bytes have come. */
  alive(): void;
  /** Ends the watch over the connection. */
  release(): void;
}

/** Starts a request that is dropped when nothing comes for a while. */
async function request(
  { url, headers }: Download,
  more: Readonly<Record<string, string>>,
  { signal, patience = 60_000 }: DownloadOptions,
): Promise<Connection> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${patience / 1000} s`)), patience);
  const release = () => clearTimeout(timer);
  try {
    const response = await fetch(url, {
      // Compression would make ranges and lengths those of the compressed file.
      headers: { "accept-encoding": "identity", ...headers, ...more },
      signal: AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])]),
    });
    return { response, alive: () => timer.refresh(), release };
  } catch (error) {
    release();
    throw error;
  }
}

async function checkMagic({ url, destination, partial }: Remote): Promise<void> {
  const file = await open(partial, "r");
  const { buffer } = await file.read(Buffer.alloc(4)).finally(() => file.close());
  if (buffer.toString("latin1") === "GGUF") return;
  await rm(partial, { force: true });
  throw new SourceError(
    "DOWNLOAD_NOT_GGUF",
    `What ${url.host} sent for ${basename(destination)} is not a GGUF file; give the address of the file itself, not of a page about it.`,
  );
}

async function wrongLength({ url, destination, partial, size }: Remote, found: string): Promise<SourceError> {
  await rm(partial, { force: true });
  return new SourceError(
    "DOWNLOAD_LENGTH",
    `${url.host} said that ${basename(destination)} has ${size} bytes, but ${found}; try again, or download it elsewhere.`,
  );
}

function broken({ url, destination, size, resumable }: Remote, done: number, breach: unknown): SourceError {
  const kept = resumable
    ? `${done} of ${size} bytes are kept, so run the same command again to go on`
    : "the server cannot send the rest of a file, so run the same command again to start over";
  const reason = breach === undefined ? "it sent less than it said" : networkReason(breach);
  return new SourceError(
    "DOWNLOAD_BROKEN",
    `The connection to ${url.host} broke ${ATTEMPTS} times in a row while fetching ${basename(destination)} (${reason}); ${kept}.`,
  );
}

/** An error of the file system; those of the network come wrapped by `fetch`. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
}
