import { hubEndpoint } from "./endpoint.ts";
import { SourceError } from "./errors.ts";

/** What the Hub is asked for where no tag is given: whatever it takes for the usual file. */
export const ANY_TAG = "latest";

/** A file in a Hugging Face repository, named by its path or by a tag such as `Q4_K_M` that the Hub looks up. */
export interface HubReference {
  readonly kind: "hub";
  /** `user/repo` */
  readonly repository: string;
  readonly revision: string;
  readonly file: { readonly path: string } | { readonly tag: string };
}

/** What a user may write where a model is asked for. `text` is a path, or the name of a model found on this machine. */
export type Reference =
  | HubReference
  | { readonly kind: "url"; readonly url: URL }
  | { readonly kind: "ollama"; readonly name: string }
  | { readonly kind: "local"; readonly text: string };

const HUB_PREFIX = /^(hf:(\/\/)?|huggingface:(\/\/)?|hf\.co\/|huggingface\.co\/)/;

/**
 * Understands a model reference; looks at nothing outside the text and the environment's HF_ENDPOINT.
 * @throws SourceError `SOURCE_REFERENCE`, `SOURCE_ENDPOINT`
 */
export function parseReference(text: string): Reference {
  if (HUB_PREFIX.test(text)) return parseHub(text, text.replace(HUB_PREFIX, ""));
  if (/^https?:\/\//.test(text)) return parseUrl(text);
  if (text.startsWith("ollama:")) {
    const name = text.slice("ollama:".length);
    if (!/^[^\s:]+(:\d+\/[^\s:]+)?(:[^\s:/]+)?$/.test(name)) throw malformed(text, "ollama:llama3.2:3b");
    return { kind: "ollama", name };
  }
  if (text === "") throw malformed(text, "model.gguf");
  return { kind: "local", text };
}

/** `user/repo`, `user/repo:TAG`, `user/repo/path/file.gguf`, the last with `#revision` if wanted. */
function parseHub(text: string, rest: string): HubReference {
  const parts = /^(\w[\w.-]*\/\w[\w.-]*)(?::([\w.-]+)|\/([^#]+?)(?:#(.+))?)?$/.exec(rest);
  if (!parts) throw malformed(text, "hf:user/repo:Q4_K_M");
  const [, repository = "", tag, path, revision = "main"] = parts;
  return {
    kind: "hub",
    repository,
    revision,
    file: path === undefined ? { tag: tag ?? ANY_TAG } : { path },
  };
}

/** The Hub's own page and download addresses become Hub references, so that both are the same file. */
function parseUrl(text: string): Reference {
  if (!URL.canParse(text)) throw malformed(text, "https://example.com/model.gguf");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw new SourceError(
      "SOURCE_REFERENCE",
      `The address of ${url.host} has a user name or password in it, which would end up in reports; download the file yourself and give its path.`,
    );
  }
  if (url.host !== new URL(hubEndpoint()).host) return { kind: "url", url };
  const [user = "", repository = "", view, revision = "main", ...path] = url.pathname
    .split("/")
    .slice(1)
    .map((part) => decoded(part, text));
  if (![user, repository].every((name) => /^\w[\w.-]*$/.test(name)))
    throw malformed(text, "hf:user/repo:Q4_K_M");
  const file =
    (view === "blob" || view === "resolve") && path.length > 0 ? { path: path.join("/") } : { tag: ANY_TAG };
  return { kind: "hub", repository: `${user}/${repository}`, revision, file };
}

function decoded(part: string, address: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new SourceError(
      "SOURCE_REFERENCE",
      `"${part}" in ${address} has a % that encodes nothing; write %25 for a % in a name.`,
    );
  }
}

function malformed(text: string, example: string): SourceError {
  return new SourceError(
    "SOURCE_REFERENCE",
    `"${text}" is not a model reference; write one like ${example}, or the path of a GGUF file.`,
  );
}
