import { SourceError } from "./errors.ts";

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly patience?: number | undefined;
}

/** A response, and the watch over its connection. */
export interface Connection {
  readonly response: Response;
  /** SHA-256 of the file, hexadecimal, where the Hub said it on the way to the server that keeps it. */
  readonly sha256: string | undefined;
  /** Says that bytes have come. */
  alive(): void;
  /** Ends the watch. */
  release(): void;
}

const MOST_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Starts a request that is dropped when nothing comes for a while. Redirects are followed here, since those of the Hub
 * say what the file is; authorization stays with the first server. Throws what `fetch` throws.
 * @throws SourceError `DOWNLOAD_REFUSED` for an answer that is compressed
 */
export async function connect(
  start: URL,
  { headers = {}, signal, patience = 60_000 }: RequestOptions = {},
): Promise<Connection> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${patience / 1000} s`)), patience);
  const release = () => clearTimeout(timer);
  const { authorization, ...others } = headers;
  let url = start;
  let sha256: string | undefined;
  try {
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const response = await fetch(url, {
        headers: {
          // Compression would make ranges and lengths those of the compressed file.
          "accept-encoding": "identity",
          ...others,
          ...(authorization !== undefined && url.origin === start.origin && { authorization }),
        },
        redirect: "manual",
        signal: AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])]),
      });
      sha256 ??= /^"?([0-9a-f]{64})"?$/.exec(response.headers.get("x-linked-etag") ?? "")?.[1];
      const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
      if (location === null) {
        refuseCompressed(response);
        return { response, sha256, alive: () => timer.refresh(), release };
      }
      await response.body?.cancel();
      url = new URL(location, url);
    }
    throw new Error(`it redirects more than ${MOST_REDIRECTS} times`);
  } catch (error) {
    release();
    throw error;
  }
}

function refuseCompressed({ url, headers }: Response): void {
  const encoding = headers.get("content-encoding");
  if (encoding === null || encoding === "identity") return;
  throw new SourceError(
    "DOWNLOAD_REFUSED",
    `${new URL(url).host} sends files compressed (${encoding}) although it was asked not to, so that their length cannot be checked; download the file elsewhere.`,
  );
}
