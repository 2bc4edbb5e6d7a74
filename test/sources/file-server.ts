import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** What a request is answered with instead of the file; `undefined` sends the file. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface FileServer {
  readonly url: string;
  /** Method, path, range and authorization of every request. */
  readonly requests: { path: string; range: string | undefined; authorization: string | undefined }[];
}

/**
 * Serves files by path, or path and query, with ranges and ETags, as the Hub's CDN does, until the test ends.
 * @param misbehave answers a request itself and returns true, or returns false
 */
export async function serveFiles(
  files: Readonly<Record<string, Uint8Array>>,
  misbehave: Misbehaviour = () => false,
): Promise<FileServer> {
  const requests: FileServer["requests"] = [];
  const server = createServer((request, response) => {
    const { pathname: path, search } = new URL(request.url ?? "/", "http://server");
    const { range, authorization } = request.headers;
    requests.push({ path, range, authorization });
    if (misbehave(request, response)) return;
    const file = files[path + search] ?? files[path];
    if (file === undefined) {
      response.writeHead(404).end();
    } else {
      sendFile(file, range, response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Sends the range of a file, of which `cut` says how many bytes really go over the line. */
export function sendFile(
  file: Uint8Array,
  range: string | undefined,
  response: ServerResponse,
  cut = Number.POSITIVE_INFINITY,
): void {
  const [, first = "0", last = ""] = /bytes=(\d+)-(\d*)/.exec(range ?? "") ?? [];
  const end = last === "" ? file.length : Math.min(Number(last) + 1, file.length);
  const body = file.subarray(Number(first), end);
  response.writeHead(range === undefined ? 200 : 206, {
    "content-length": body.length,
    etag: '"version-1"',
    ...(range !== undefined && { "content-range": `bytes ${first}-${end - 1}/${file.length}` }),
  });
  if (cut >= body.length) {
    response.end(body);
  } else {
    response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  }
}
