import { connect } from "./connection.ts";
import { failedRequest, unreachable } from "./download-errors.ts";
import { hubEndpoint } from "./endpoint.ts";
import { SourceError } from "./errors.ts";
import type { HubReference } from "./reference.ts";

/**
 * How the Hub is asked. The token goes to the Hub alone, and not where others on the way could read it.
 * @throws SourceError `SOURCE_TOKEN`, which never repeats it
 */
export function hubHeaders(given: string | undefined): Record<string, string> {
  // The Hub names the GGUF file in a manifest only for llama.cpp (source: llama.cpp `get_repo_commit` and manifest).
  const agent = { "user-agent": "llama-cpp" };
  // A file with a token ends with a line break.
  const token = given?.trim();
  if (!token) return agent;
  const odd = /[^\x21-\x7e]/.exec(token)?.[0];
  if (odd !== undefined) {
    const what = /[\r\n]/.test(odd) ? "a line break" : /\s/.test(odd) ? "a space" : "a character";
    throw new SourceError(
      "SOURCE_TOKEN",
      `The token for Hugging Face has ${what} in it that no token has; copy it again from the page of your tokens into \`hfToken\` or HF_TOKEN.`,
    );
  }
  const { protocol, hostname, host } = new URL(hubEndpoint());
  if (protocol === "http:" && !LOOPBACK.test(hostname)) {
    throw new SourceError(
      "SOURCE_TOKEN",
      `The token for Hugging Face is not sent to ${host} over http, where others could read it; give the mirror's https address, or unset the token.`,
    );
  }
  return { ...agent, authorization: `Bearer ${token}` };
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * The path in the repository of the file that a tag means, of a split model of one of its parts: the Hub is asked.
 * @throws SourceError `DOWNLOAD_…`
 */
export async function fileOfTag(
  { repository }: HubReference,
  tag: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const url = new URL(`${hubEndpoint()}/v2/${repository}/manifests/${encodeURIComponent(tag)}`);
  const { response, release } = await connect(url, { headers, signal }).catch((cause) => {
    throw cause instanceof SourceError ? cause : unreachable(url, cause, signal);
  });
  try {
    const what = `${repository}:${tag}`;
    if (response.status === 400) {
      throw new SourceError(
        "DOWNLOAD_NOT_FOUND",
        `${repository} has no GGUF file for ${tag}; see the repository's files and name one as hf:${repository}/file.gguf.`,
      );
    }
    if (!response.ok) throw failedRequest(what, response);
    const name = fileOfManifest(await readShort(response).catch(() => ""));
    if (name !== undefined) return name;
    throw new SourceError(
      "DOWNLOAD_NOT_FOUND",
      `${repository} has no GGUF file that the Hub would name for ${tag}; name one as hf:${repository}/file.gguf.`,
    );
  } finally {
    release();
  }
}

function fileOfManifest(json: string): string | undefined {
  try {
    const name: unknown = JSON.parse(json)?.ggufFile?.rfilename;
    return typeof name === "string" && name.endsWith(".gguf") ? name : undefined;
  } catch {
    return undefined;
  }
}

/** No manifest is longer. */
const MOST_BYTES = 2 ** 20;

/** The text of a response that is not longer than a manifest can be; cut off there. */
async function readShort(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    if (length > MOST_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Where a file of the repository is downloaded from. */
export function hubUrl({ repository, revision }: HubReference, path: string): URL {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return new URL(`${hubEndpoint()}/${repository}/resolve/${encodeURIComponent(revision)}/${encoded}`);
}
