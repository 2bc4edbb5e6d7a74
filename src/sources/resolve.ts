import { access, realpath } from "node:fs/promises";
import { variable } from "../environment.ts";
import { didYouMean } from "../nearest.ts";
import type { Progress } from "../progress.ts";
import { downloadAll } from "./download.ts";
import { SourceError } from "./errors.ts";
import { fileOfTag, hubHeaders, hubUrl } from "./hub.ts";
import { describeFile } from "./language-model.ts";
import { modelName, plainName } from "./names.ts";
import { findOllamaModel, type OllamaSettings } from "./ollama.ts";
import { hubDestination, rememberedTag, rememberTag, urlDestination } from "./own-folder.ts";
import { allParts, withoutPart } from "./parts.ts";
import { ANY_TAG, type HubReference, parseReference } from "./reference.ts";
import type { Download } from "./remote.ts";
import { type StoredModel, tagOf } from "./stored-model.ts";
import { storedModels, storeOf } from "./stores.ts";

export interface ResolveOptions {
  /** For gated repositories of the Hugging Face Hub; the environment's HF_TOKEN unless given. */
  readonly hfToken?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes are downloaded. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A model as a local file. */
export interface ResolvedModel {
  /** The file, of a split model the first part. */
  readonly path: string;
  /** What to call files made from it, without an ending. */
  readonly name: string;
  /**
   * Whether it lies in a folder of a program's own (lorp's included): what is made of it is not written beside it, where
   * Ollama, for one, would delete it.
   */
  readonly kept: boolean;
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
 * @example
 * ```ts
 * import { inspect, resolveModel } from "lorp";
 *
 * const { path } = await resolveModel("model.gguf"); // or "hf:user/repo:Q4_K_M", "ollama:name", …
 * console.log((await inspect(path)).model.name);
 * ```
 */
export async function resolveModel(reference: string, options: ResolveOptions = {}): Promise<ResolvedModel> {
  const parsed = parseReference(reference);
  switch (parsed.kind) {
    case "local":
      return (await exists(parsed.text)) ? fromPath(parsed.text) : findByName(parsed.text);
    case "ollama": {
      const { path, ...ollama } = await findOllamaModel(parsed.name);
      const description = `${parsed.name} of Ollama`;
      return { path, name: plainName(parsed.name), kept: true, description, ollama };
    }
    case "url":
      return fromUrl(parsed.url, options);
    case "hub":
      return (await findExactly(reference)) ?? fromHub(parsed, options);
  }
}

/** A file is whose folder it lies in, by whatever name it was given. */
async function fromPath(path: string): Promise<ResolvedModel> {
  const store = await storeOf(path);
  if (store === undefined) return { path, name: modelName(path), kept: false, description: path };
  const target = await realpath(path);
  for (const model of await storedModels()) {
    const same = (await realpath(model.path).catch(() => undefined)) === target;
    if (same) return { ...(await fromStore(model)), path };
  }
  return { path, name: modelName(path), kept: true, description: `${path} of ${store}` };
}

/**
 * What the names of files made from a model begin with where nothing else is said: its path, or in the current folder its
 * name for a file that a program keeps in its own.
 */
export async function outputStem(path: string): Promise<string> {
  const { kept, name } = await fromPath(path);
  return kept ? name : path;
}

/** A model that a program calls so; Ollama calls what it took from the Hub `hf.co/user/repo:Q8_0`. */
async function findExactly(reference: string): Promise<ResolvedModel | undefined> {
  if (!/^(hf|huggingface)\.co\//.test(reference)) return undefined;
  const model = (await storedModels()).find(({ name }) => called(name) === called(reference));
  return model && fromStore(model);
}

async function findByName(text: string): Promise<ResolvedModel> {
  const wanted = called(text);
  const models = await storedModels();
  const similar = models.filter(({ name }) => `/${called(name)}`.endsWith(`/${wanted}`));
  const same = similar.filter(({ name }) => called(name) === wanted);
  const matches = same.length > 0 ? same : similar;
  const [model, ...others] = matches;
  if (model === undefined) {
    const names = models.flatMap(({ name }) => [name, name.replace(/.*\//, "")]);
    throw new SourceError(
      "SOURCE_NOT_FOUND",
      `There is no file ${text} and no model of that name on this machine; "lorp ls" lists those that are found.${didYouMean(text, names)}`,
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

function stored({ store, name, path, hub }: StoredModel): ResolvedModel {
  return {
    path,
    name: modelName(path),
    kept: true,
    description: `${name} of ${store}`,
    ...(hub && { repository: hub.repository }),
  };
}

async function fromUrl(url: URL, options: ResolveOptions): Promise<ResolvedModel> {
  const files = allParts(url.pathname)
    .map((pathname) => Object.assign(new URL(url), { pathname }))
    .map((part) => ({ url: part, destination: urlDestination(part) }));
  return { ...(await present(files, options)), description: url.href.replace(/\?.*/, "") };
}

async function fromHub(reference: HubReference, options: ResolveOptions): Promise<ResolvedModel> {
  const { repository, file } = reference;
  const local = await findHubCopy(reference);
  if (local) return stored(local);
  const headers = hubHeaders(options.hfToken ?? variable("HF_TOKEN"));
  let named: string;
  try {
    named = "path" in file ? file.path : await fileOfTag(reference, file.tag, headers, options.signal);
  } catch (error) {
    const only = await onlyCopy(reference, error);
    if (!only) throw error;
    const model = stored(only);
    return {
      ...model,
      description: `${model.description}, the only copy at hand (the Hub cannot be reached)`,
    };
  }
  const files = allParts(named).map((path) => ({
    url: hubUrl(reference, path),
    destination: hubDestination(reference, path),
    headers,
  }));
  const model = await present(files, options);
  if ("tag" in file) await rememberTag(reference, file.tag, named);
  return { ...model, description: `${repository} of Hugging Face`, repository };
}

/** The one model of a repository that is at hand, where nobody says which is meant and the Hub cannot be asked. */
async function onlyCopy(reference: HubReference, error: unknown): Promise<StoredModel | undefined> {
  const { file } = reference;
  const isUnasked = "tag" in file && file.tag === ANY_TAG;
  if (!isUnasked || !(error instanceof SourceError && error.code === "DOWNLOAD_UNREACHABLE"))
    return undefined;
  const found: StoredModel[] = [];
  for (const copy of await copiesOf(reference)) {
    if ((await describeFile(copy.path)) !== undefined) found.push(copy);
  }
  return found.length === 1 ? found[0] : undefined;
}

/** Files of that repository and revision that were downloaded before. */
async function copiesOf({ repository, revision }: HubReference): Promise<StoredModel[]> {
  return (await storedModels()).filter(
    ({ hub }) => hub !== undefined && same(hub.repository, repository) && hub.revisions.includes(revision),
  );
}

/**
 * A copy of that very file and revision that was downloaded before, by lorp or by Hugging Face's own tools, so that it
 * works without a network. What a tag means is known only of files that are called after the repository and the tag, or
 * that lorp asked the Hub for; what is kept beside a language model, such as its projector, is none.
 */
async function findHubCopy(reference: HubReference): Promise<StoredModel | undefined> {
  const { file } = reference;
  const copies = await copiesOf(reference);
  const path = "path" in file ? file.path : await rememberedTag(reference, file.tag);
  const byPath = copies.find(
    ({ hub }) => path !== undefined && same(withoutPart(hub?.file ?? ""), withoutPart(path)),
  );
  if (byPath || "path" in file) return byPath;
  const found: StoredModel[] = [];
  for (const copy of copies) {
    if (copy.hub === undefined || !same(tagOf(copy.hub) ?? "", file.tag)) continue;
    if ((await describeFile(copy.path)) !== undefined) found.push(copy);
  }
  return found.length === 1 ? found[0] : undefined;
}

const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** Downloads those of a model's files that are not there yet. */
async function present(
  files: readonly Download[],
  { signal, onProgress }: ResolveOptions,
): Promise<Pick<ResolvedModel, "path" | "name" | "kept">> {
  const missing: Download[] = [];
  for (const file of files) if (!(await exists(file.destination))) missing.push(file);
  await downloadAll(missing, {
    signal,
    onProgress: (done, total) => onProgress?.({ stage: "download", done, total, unit: "bytes" }),
  });
  const path = files[0]?.destination ?? "";
  return { path, name: modelName(path), kept: true };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
