import { readdir, readFile, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { homeFolder, variable } from "../environment.ts";
import { SourceError } from "./errors.ts";
import type { StoredModel } from "./stored-model.ts";

/** What Ollama keeps beside a model's weights and a Modelfile can say again. */
export interface OllamaSettings {
  /** Go template of a conversation. */
  readonly template?: string;
  readonly system?: string;
  /** As in a Modelfile: `temperature`, `stop`, …; a list for what is given several times. */
  readonly parameters: Readonly<Record<string, OllamaParameter>>;
}

export type OllamaParameter = string | number | boolean | readonly string[];

export interface OllamaModel extends OllamaSettings {
  /** The weights: a GGUF file without that ending. */
  readonly path: string;
}

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const MEDIA = "application/vnd.ollama.image.";
const DEFAULT_HOST = "registry.ollama.ai";
const DEFAULT_NAMESPACE = "library";

/** The local stores: the user's own, and that of the Linux service. */
export function ollamaFolders(): string[] {
  const own = variable("OLLAMA_MODELS");
  if (own !== undefined) return [own];
  const home = homeFolder();
  return [...(home ? [join(home, ".ollama", "models")] : []), "/usr/share/ollama/.ollama/models"];
}

/**
 * Finds a model in the local Ollama store (source: Ollama `types/model/name.go`, `server/manifest.go`).
 * @param name as in `ollama run`: `llama3.2:3b`, `user/model`, `hf.co/user/repo:Q4_K_M`
 * @throws SourceError `SOURCE_NOT_FOUND`, `SOURCE_OLLAMA`
 */
export async function findOllamaModel(name: string): Promise<OllamaModel> {
  for (const store of ollamaFolders()) {
    const model = await modelIn(store, name);
    if (model !== undefined) return model;
  }
  throw new SourceError(
    "SOURCE_NOT_FOUND",
    `The Ollama store has no ${name} (looked in ${ollamaFolders().join(", ")}); run "ollama pull ${name}", or set OLLAMA_MODELS.`,
  );
}

/** Every model of a local store whose weights are there. */
export async function ollamaModels(store: string): Promise<StoredModel[]> {
  const models: StoredModel[] = [];
  const manifests = join(store, "manifests");
  const entries = await readdir(manifests, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const name = nameOf(path.slice(manifests.length + 1).split(sep));
    const model = name && (await modelIn(store, name).catch(() => undefined));
    if (model) models.push({ store: "Ollama", name, path: model.path });
  }
  return models;
}

/** @throws SourceError `SOURCE_OLLAMA` */
async function modelIn(store: string, name: string): Promise<OllamaModel | undefined> {
  const path = join(store, "manifests", ...manifestPath(name));
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : readModel(store, name, text);
}

/** host / namespace / model / tag; what the name leaves out is Ollama's default. */
function manifestPath(name: string): string[] {
  const parts = name.split("/");
  const [model = "", tag = "latest"] = (parts.pop() ?? "").split(":");
  const namespace = parts.pop() ?? DEFAULT_NAMESPACE;
  const host = parts.length > 0 ? parts : [DEFAULT_HOST];
  return [...host, namespace, model, tag];
}

function nameOf([host, namespace, model, tag, ...more]: readonly string[]): string | undefined {
  if (tag === undefined || more.length > 0) return undefined;
  const owner = namespace === DEFAULT_NAMESPACE ? "" : `${namespace}/`;
  return host === DEFAULT_HOST ? `${owner}${model}:${tag}` : `${host}/${namespace}/${model}:${tag}`;
}

async function readModel(store: string, name: string, manifest: string): Promise<OllamaModel> {
  const damaged = (what: string) =>
    new SourceError("SOURCE_OLLAMA", `Ollama's ${name} ${what}; run "ollama pull ${name}" again.`);
  const layers = parseLayers(manifest);
  if (layers === undefined) throw damaged("has a manifest that is not readable");
  const blob = (digest: string) => join(store, "blobs", digest.replace(":", "-"));
  const text = async (kind: string) => {
    const layer = layers.find(({ mediaType }) => mediaType === MEDIA + kind);
    return layer && readFile(blob(layer.digest), "utf8").catch(() => undefined);
  };
  const [weights, ...more] = layers.filter(({ mediaType }) => mediaType === `${MEDIA}model`);
  if (weights === undefined) throw damaged("has no weights");
  if (more.length > 0 || layers.some(({ mediaType }) => mediaType === `${MEDIA}adapter`)) {
    throw new SourceError(
      "SOURCE_OLLAMA",
      `Ollama's ${name} is made of several weight files (parts or an adapter), which cannot be pruned as one; use the GGUF file it was created from.`,
    );
  }
  const path = blob(weights.digest);
  const size = (await stat(path).catch(() => undefined))?.size;
  if (size === undefined) throw damaged("has lost its weights");
  if (size !== weights.size) throw damaged(`has ${size} bytes of weights instead of ${weights.size}`);
  const [template, system, params = "{}"] = await Promise.all(["template", "system", "params"].map(text));
  const parameters = parseObject(params);
  if (parameters === undefined || !Object.entries(parameters).every(isParameter))
    throw damaged("has parameters that are not readable");
  return {
    path,
    ...(template !== undefined && { template }),
    ...(system !== undefined && { system }),
    parameters: parameters as OllamaSettings["parameters"],
  };
}

/** What Ollama itself accepts in a Modelfile; anything else would say more there than a parameter. */
function isParameter([name, value]: [string, unknown]): boolean {
  const isScalar = (each: unknown) => ["string", "boolean"].includes(typeof each) || Number.isFinite(each);
  return /^\w+$/.test(name) && (Array.isArray(value) ? value.every(isScalar) : isScalar(value));
}

function parseLayers(manifest: string): readonly Layer[] | undefined {
  const layers = parseObject(manifest)?.layers;
  return Array.isArray(layers) && layers.every(isLayer) ? layers : undefined;
}

/** undefined for what is no object. */
function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isLayer(value: unknown): value is Layer {
  const { mediaType, digest, size } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof mediaType === "string" &&
    typeof size === "number" &&
    typeof digest === "string" &&
    /^sha256:[0-9a-f]{64}$/.test(digest)
  );
}
