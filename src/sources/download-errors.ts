import { basename } from "node:path";
import { AbortedError } from "../errors.ts";
import { SourceError } from "./errors.ts";
import type { Remote } from "./remote.ts";

/** What a failed request means to the user. `what` is the file as the user knows it. */
export function failedRequest(what: string, response: Response): SourceError {
  const { status } = response;
  const host = new URL(response.url).host;
  if (status === 401 || status === 403) {
    return new SourceError(
      "DOWNLOAD_DENIED",
      `${host} does not let you download ${what} (status ${status}); ask for access on the model's page if it is gated, and give a valid token with \`hfToken\` or HF_TOKEN.`,
    );
  }
  if (status === 404 || status === 410) {
    return new SourceError("DOWNLOAD_NOT_FOUND", `${host} has no ${what}; check the name.`);
  }
  return new SourceError(
    "DOWNLOAD_REFUSED",
    `${host} answered status ${status} instead of sending ${what}; try again later.`,
  );
}

/** A request that got no answer: the network, or the user's own wish to stop. */
export function unreachable(url: URL, cause: unknown, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return new AbortedError();
  return new SourceError(
    "DOWNLOAD_UNREACHABLE",
    `Cannot reach ${url.host} (${networkReason(cause)}); check the address and the network.`,
    { cause },
  );
}

/** The innermost reason: `fetch failed` hides ECONNREFUSED, ENOTFOUND and the like in its cause. */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code === "string") return code;
  return error.cause === undefined ? error.message : networkReason(error.cause);
}

const about = ({ url, destination }: Remote) => ({ host: url.host, file: basename(destination) });

export function notGguf(remote: Remote): SourceError {
  const { host, file } = about(remote);
  return new SourceError(
    "DOWNLOAD_NOT_GGUF",
    `What ${host} sent for ${file} is not a GGUF file; give the address of the file itself, not of a page about it.`,
  );
}

export function wrongLength(remote: Remote, found: string): SourceError {
  const { host, file } = about(remote);
  return new SourceError(
    "DOWNLOAD_LENGTH",
    `${host} said that ${file} has ${remote.size} bytes, but ${found}; try again, or download it elsewhere.`,
  );
}

export function withoutEnd(remote: Remote): SourceError {
  const { host, file } = about(remote);
  return new SourceError(
    "DOWNLOAD_LENGTH",
    `${host} did not say how long ${file} is, and sent more than its header describes; download it elsewhere.`,
  );
}

export function changed(remote: Remote): SourceError {
  const { host, file } = about(remote);
  return new SourceError(
    "DOWNLOAD_CHANGED",
    `${file} was replaced on ${host} while it was fetched; run the same command again to fetch the new one.`,
  );
}

export function wrongChecksum(remote: Remote): SourceError {
  const { host, file } = about(remote);
  return new SourceError(
    "DOWNLOAD_CHECKSUM",
    `What came for ${file} is not what ${host} says it is (its SHA-256 differs); it is thrown away, so run the same command again, or download it elsewhere.`,
  );
}

export function broken(remote: Remote, done: number, breach: unknown, attempts: number): SourceError {
  const { host, file } = about(remote);
  const kept = remote.resumable
    ? `${done} of ${remote.size} bytes are kept, so run the same command again to go on`
    : "the server cannot send the rest of a file, so run the same command again to start over";
  const reason = breach === undefined ? "it sent less than it said" : networkReason(breach);
  return new SourceError(
    "DOWNLOAD_BROKEN",
    `The connection to ${host} broke ${attempts} times in a row while fetching ${file} (${reason}); ${kept}.`,
  );
}

export function unwritable(destination: string, cause: NodeJS.ErrnoException): SourceError {
  return new SourceError(
    "DOWNLOAD_UNWRITABLE",
    `Cannot write ${destination} (${cause.code}); check the folder's permissions and free space, or choose another with LORP_MODELS.`,
    { cause },
  );
}
