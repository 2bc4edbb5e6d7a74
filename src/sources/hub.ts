import { failedRequest, unreachable } from "./download-errors.ts";
import { SourceError } from "./errors.ts";
import { allParts } from "./parts.ts";
import type { HubReference } from "./reference.ts";

/**
 * The Hub or a mirror of it, without a slash at the end; the variables are llama.cpp's and huggingface_hub's.
 * @throws SourceError `SOURCE_ENDPOINT`
 */
export function hubEndpoint(): string {
  const { HF_ENDPOINT, MODEL_ENDPOINT } = process.env;
  const endpoint = HF_ENDPOINT || MODEL_ENDPOINT || "https://huggingface.co";
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw new SourceError(
      "SOURCE_ENDPOINT",
      `"${endpoint}" in ${HF_ENDPOINT ? "HF_ENDPOINT" : "MODEL_ENDPOINT"} is not an address; write it like https://huggingface.co, or unset it.`,
    );
  }
  return endpoint.replace(/\/+$/, "");
}

/** How the Hub is asked: the token goes to the Hub alone; `fetch` leaves it out when redirected elsewhere. */
export function hubHeaders(token: string | undefined): Record<string, string> {
  // The Hub names the GGUF file in a manifest only for llama.cpp (source: llama.cpp `get_repo_commit` and manifest).
  return { "user-agent": "llama-cpp", ...(token && { authorization: `Bearer ${token}` }) };
}

/**
 * Paths in the repository of all parts of the model a reference names; asks the Hub which file a tag means.
 * @throws SourceError `DOWNLOAD_…`
 */
export async function hubFiles(
  reference: HubReference,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { file } = reference;
  return allParts("path" in file ? file.path : await askForTag(reference, file.tag, token, signal));
}

async function askForTag(
  { repository }: HubReference,
  tag: string,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const url = new URL(`${hubEndpoint()}/v2/${repository}/manifests/${encodeURIComponent(tag)}`);
  const response = await fetch(url, { headers: hubHeaders(token), signal: signal ?? null }).catch((cause) => {
    throw unreachable(url, cause, signal);
  });
  const what = `${repository}:${tag}`;
  if (response.status === 400) {
    throw new SourceError(
      "DOWNLOAD_NOT_FOUND",
      `${repository} has no GGUF file for ${tag}; see the repository's files and name one as hf:${repository}/file.gguf.`,
    );
  }
  if (!response.ok) throw failedRequest(what, response);
  const manifest = (await response.json().catch(() => undefined)) as
    | { ggufFile?: { rfilename?: unknown } }
    | undefined;
  const name = manifest?.ggufFile?.rfilename;
  if (typeof name === "string") return name;
  throw new SourceError(
    "DOWNLOAD_NOT_FOUND",
    `${repository} has no GGUF file that the Hub would name for ${tag}; name one as hf:${repository}/file.gguf.`,
  );
}

/** Where a file of the repository is downloaded from. */
export function hubUrl({ repository, revision }: HubReference, path: string): URL {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return new URL(`${hubEndpoint()}/${repository}/resolve/${encodeURIComponent(revision)}/${encoded}`);
}
