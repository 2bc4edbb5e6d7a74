import { createHash } from "node:crypto";
import { access } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Download, downloadAll } from "./download.ts";
import { SourceError } from "./errors.ts";
import { hubFiles, hubHeaders, hubUrl } from "./hub.ts";
import { findOllamaModel, type OllamaSettings } from "./ollama.ts";
import { allParts, withoutPart } from "./parts.ts";
import { type HubReference, parseReference } from "./reference.ts";
import { modelsFolder, type StoredModel, storedModels } from "./stores.ts";

export interface ResolveOptions {
  /** For gated repositories of the Hugging Face Hub; the environment's HF_TOKEN unless given. */
  readonly hfToken?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes downloaded, of all bytes. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A model as a local file. */
export interface ResolvedModel {
  /** The file, of a split model the first part. */
  readonly path: string;
  /** What to call files made from it, without an ending. */
  readonly name: string;
  /** Where it came from, for people. */
  readonly description: string;
  /** The Hub's repository, if it came from there. */
  readonly repository?: string;
  /** What Ollama keeps beside the weights, if it came from there. */
  readonly ollama?: OllamaSettings;
}

/**
 * Turns a model reference into a local file, downloading it if need be: a path; `hf:user/repo:Q4_K_M` or
 * `hf:user/repo/file.gguf`; an http(s) address; `ollama:llama3.2:3b`; or the name of a model that LM Studio, Ollama,
 * llama.cpp or the Hugging Face cache keeps on this machine.
 * @throws SourceError
 * @throws AbortedError when stopped; what was downloaded until then is kept for the next time
 */
export async function resolveModel(reference: string, options: ResolveOptions = {}): Promise<ResolvedModel> {
  const parsed = parseReference(reference);
  switch (parsed.kind) {
    case "local":
      return (await exists(parsed.text))
        ? { path: parsed.text, name: modelName(parsed.text), description: parsed.text }
        : findByName(parsed.text);
    case "ollama": {
      const { path, ...ollama } = await findOllamaModel(parsed.name);
      return { path, name: fileName(parsed.name), description: `${parsed.name} of Ollama`, ollama };
    }
    case "url":
      return fromUrl(parsed.url, options);
    case "hub":
      return (await findExactly(reference)) ?? fromHub(parsed, options);
  }
}

/** A model that a program calls so; Ollama calls what it took from the Hub `hf.co/user/repo:Q8_0`. */
async function findExactly(reference: string): Promise<ResolvedModel | undefined> {
  if (!/^(hf|huggingface)\.co\//.test(reference)) return undefined;
  const model = (await storedModels()).find(({ name }) => called(name) === called(reference));
  return model && fromStore(model);
}

async function findByName(text: string): Promise<ResolvedModel> {
  const wanted = called(text);
  const similar = (await storedModels()).filter(({ name }) => `/${called(name)}`.endsWith(`/${wanted}`));
  const same = similar.filter(({ name }) => called(name) === wanted);
  const matches = same.length > 0 ? same : similar;
  const [model, ...others] = matches;
  if (model === undefined) {
    throw new SourceError(
      "SOURCE_NOT_FOUND",
      `There is no file ${text} and no model of that name on this machine; "lorp ls" lists those that are found.`,
    );
  }
  if (others.length > 0) {
    const names = matches.map(({ store, name }) => `${name} (${store})`).join(", ");
    throw new SourceError(
      "SOURCE_AMBIGUOUS",
      `${text} may be any of ${names}; write more of the name, or the path that "lorp ls --json" shows.`,
    );
  }
  return fromStore(model);
}

/** A model's name without what may be left out of it. */
const called = (name: string) => name.toLowerCase().replace(/(\.gguf)?(:latest)?$/, "");

async function fromStore(model: StoredModel): Promise<ResolvedModel> {
  return model.store === "Ollama" ? resolveModel(`ollama:${model.name}`) : stored(model);
}

function stored({ store, name, path }: StoredModel): ResolvedModel {
  return { path, name: modelName(name), description: `${name} of ${store}` };
}

async function fromUrl(url: URL, options: ResolveOptions): Promise<ResolvedModel> {
  // Another query may be another file: it has a folder of its own, by a hash since it may hold a key.
  const query = url.search ? [createHash("sha256").update(url.search).digest("hex").slice(0, 12)] : [];
  const urls = allParts(url.pathname).map((pathname) => Object.assign(new URL(url), { pathname }));
  const files = urls.map((part) => ({
    url: part,
    destination: join(
      modelsFolder(),
      fileName(part.host),
      ...query,
      ...part.pathname.split("/").map(fileName),
    ),
  }));
  return { ...(await present(files, options)), description: url.href.replace(/\?.*/, "") };
}

async function fromHub(reference: HubReference, options: ResolveOptions): Promise<ResolvedModel> {
  const { repository, revision } = reference;
  const token = options.hfToken ?? process.env.HF_TOKEN;
  const local = await findHubCopy(reference);
  if (local) return { ...stored(local), repository };
  const folder = revision === "main" ? repository : `${repository}@${fileName(revision)}`;
  const files = (await hubFiles(reference, token, options.signal)).map((path) => ({
    url: hubUrl(reference, path),
    destination: join(modelsFolder(), "hf", folder, ...path.split("/").map(fileName)),
    headers: hubHeaders(token),
  }));
  return { ...(await present(files, options)), description: `${repository} of Hugging Face`, repository };
}

/** A copy that was downloaded before, by lorp or by Hugging Face's own tools, so that it works without a network. */
async function findHubCopy({ repository, revision, file }: HubReference): Promise<StoredModel | undefined> {
  if (revision !== "main") return undefined;
  const prefix = `${repository}/`.toLowerCase();
  const copies = (await storedModels()).filter(({ store, name }) => {
    const called = name.toLowerCase();
    if (!called.startsWith(prefix) || (store !== "lorp" && store !== "Hugging Face")) return false;
    return "path" in file
      ? called === prefix + withoutPart(file.path).toLowerCase()
      : new RegExp(`[-._/]${file.tag.replaceAll(".", "\\.")}\\.gguf$`, "i").test(called);
  });
  return "path" in file || copies.length === 1 ? copies[0] : undefined;
}

/** Downloads those of a model's files that are not there yet. */
async function present(
  files: readonly Download[],
  options: ResolveOptions,
): Promise<Pick<ResolvedModel, "path" | "name">> {
  const missing: Download[] = [];
  for (const file of files) if (!(await exists(file.destination))) missing.push(file);
  await downloadAll(missing, options);
  const path = files[0]?.destination ?? "";
  return { path, name: modelName(path) };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A file's name without `.gguf` and without the number of a part. */
const modelName = (path: string) => withoutPart(basename(path)).replace(/\.gguf$/, "");

/** A text with everything replaced that a file name must not have on some system. */
const fileName = (text: string) => text.replace(/[^\w.@+-]+/g, "-").replace(/^\.+$/, "-");
