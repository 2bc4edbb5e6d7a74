import { AbortedError } from "../errors.ts";
import { SourceError } from "./errors.ts";

/** What a failed request means to the user. `what` is the file as the user knows it. */
export function failedRequest(what: string, response: Response): SourceError {
  const { status } = response;
  const host = new URL(response.url).host;
  if (status === 401 || status === 403) {
    return new SourceError(
      "DOWNLOAD_DENIED",
      `${host} does not let you download ${what} (status ${status}); ask for access on the model's page if it is gated, and give a valid token with --hf-token or HF_TOKEN.`,
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
