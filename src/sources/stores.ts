import { realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { homeFolder, userCaches, variable } from "../environment.ts";
import { ggufFiles } from "./gguf-files.ts";
import { hubCacheModels } from "./hub-cache.ts";
import { ollamaFolders, ollamaModels } from "./ollama.ts";
import { modelsFolder, ownModel } from "./own-folder.ts";
import { withoutPart } from "./parts.ts";
import type { StoredModel } from "./stored-model.ts";

/** A program that keeps models on this machine. */
interface Store {
  readonly store: string;
  /** Folders that are its own; undefined where there is no home to have them in. */
  folders(): readonly (string | undefined)[];
  models(folder: string): Promise<StoredModel[]>;
}

/** `parts` below the user's folder, if there is one. */
function inHome(...parts: readonly string[]): string | undefined {
  const home = homeFolder();
  return home && join(home, ...parts);
}

function inCaches(...parts: readonly string[]): string | undefined {
  const caches = userCaches();
  return caches && join(caches, ...parts);
}

/** A program that calls a model by its file's path in the folder. */
const named =
  (store: string) =>
  async (folder: string): Promise<StoredModel[]> =>
    (await ggufFiles(folder)).map((path) => ({ store, name: withoutPart(path), path: join(folder, path) }));

function hubCache(): string | undefined {
  const home = variable("HF_HOME") ?? inCaches("huggingface");
  return variable("HF_HUB_CACHE") ?? (home && join(home, "hub"));
}

const STORES: readonly Store[] = [
  {
    store: "lorp",
    folders: () => [modelsFolder()],
    models: async (folder) => (await ggufFiles(folder)).map((path) => ownModel(folder, path)),
  },
  {
    store: "LM Studio",
    folders: () => [inHome(".lmstudio", "models"), inHome(".cache", "lm-studio", "models")],
    models: named("LM Studio"),
  },
  { store: "Hugging Face", folders: () => [hubCache()], models: hubCacheModels },
  {
    store: "llama.cpp",
    folders: () => [
      variable("LLAMA_CACHE") ??
        (process.platform === "darwin" ? inHome("Library", "Caches", "llama.cpp") : inCaches("llama.cpp")),
    ],
    models: named("llama.cpp"),
  },
  {
    store: "node-llama-cpp",
    folders: () => [inHome(".node-llama-cpp", "models")],
    models: named("node-llama-cpp"),
  },
  { store: "Ollama", folders: ollamaFolders, models: ollamaModels },
];

const foldersOf = ({ folders }: Store): string[] => folders().filter((folder) => folder !== undefined);

/** Every GGUF model found where programs keep theirs, by store and name. Folders that are not there are no error. */
export async function storedModels(): Promise<StoredModel[]> {
  const lists = await Promise.all(
    STORES.map(async (store) => (await Promise.all(foldersOf(store).map(store.models))).flat()),
  );
  return lists.flatMap((models) => models.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
}

/** Folders that only a program makes, wherever it has been told to. */
async function laidOutBy(folder: string): Promise<string | undefined> {
  if (/[/\\]models--[^/\\]+--[^/\\]+[/\\](blobs|snapshots)([/\\]|$)/.test(folder)) return "Hugging Face";
  if (basename(folder) !== "blobs") return undefined;
  const manifests = await stat(join(folder, "..", "manifests")).catch(() => undefined);
  return manifests?.isDirectory() ? "Ollama" : undefined;
}

/** The program in whose own folder a file lies, or would lie; undefined for a place that is the user's. */
export async function storeOf(path: string): Promise<string | undefined> {
  const place = await realpath(dirname(path)).catch(() => undefined);
  if (place === undefined) return undefined;
  for (const store of STORES) {
    for (const folder of foldersOf(store)) {
      const root = await realpath(folder).catch(() => undefined);
      if (root !== undefined && isWithin(place, root)) return store.store;
    }
  }
  return laidOutBy(place);
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
