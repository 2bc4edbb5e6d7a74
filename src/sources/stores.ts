import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative, sep } from "node:path";
import { cacheFolder } from "../files/cache-folder.ts";
import { ollamaModels } from "./ollama.ts";
import { allParts, withoutPart } from "./parts.ts";

/** A model file that some program keeps on this machine. */
export interface StoredModel {
  /** The program. */
  readonly store: string;
  /** What the model is called there, with slashes: `user/repo/file.gguf`, `llama3.2:3b`. */
  readonly name: string;
  /** The file, of a split model the first part. */
  readonly path: string;
}

/** Where lorp keeps what it downloads. */
export function modelsFolder(): string {
  return process.env.LORP_MODELS ?? join(cacheFolder(), "models");
}

interface FolderStore {
  readonly store: string;
  folders(): readonly string[];
  /** A file's path below the folder, with slashes → the model's name; undefined for what is no model of its own. */
  name(path: string): string | undefined;
}

const asIs = (path: string) => path;

/** Programs that keep models as `.gguf` files in a folder of their own. */
const FOLDER_STORES: readonly FolderStore[] = [
  { store: "lorp", folders: () => [modelsFolder()], name: (path) => path.replace(/^hf\//, "") },
  {
    store: "LM Studio",
    folders: () => [join(homedir(), ".lmstudio", "models"), join(homedir(), ".cache", "lm-studio", "models")],
    name: asIs,
  },
  {
    store: "Hugging Face",
    folders: () => [
      process.env.HF_HUB_CACHE ??
        join(process.env.HF_HOME ?? join(homedir(), ".cache", "huggingface"), "hub"),
    ],
    name: (path) => {
      const [, user, repository, file] = /^models--(.+?)--(.+?)\/snapshots\/[^/]+\/(.+)$/.exec(path) ?? [];
      return file && `${user}/${repository}/${file}`;
    },
  },
  {
    store: "llama.cpp",
    folders: () => [
      process.env.LLAMA_CACHE ??
        join(homedir(), ...(process.platform === "darwin" ? ["Library", "Caches"] : [".cache"]), "llama.cpp"),
    ],
    name: asIs,
  },
  { store: "node-llama-cpp", folders: () => [join(homedir(), ".node-llama-cpp", "models")], name: asIs },
];

/** Every GGUF model found where programs keep theirs, by store and name. Folders that are not there are no error. */
export async function storedModels(): Promise<StoredModel[]> {
  const lists = await Promise.all([...FOLDER_STORES.map(folderModels), ollamaModels()]);
  return lists.flatMap((models) => models.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
}

async function folderModels({ store, folders, name }: FolderStore): Promise<StoredModel[]> {
  const models = new Map<string, { path: string; modified: number }>();
  for (const folder of folders()) {
    for (const path of await ggufFiles(folder)) {
      const called = name(withoutPart(relative(folder, path).split(sep).join("/")));
      const modified = (await stat(path).catch(() => undefined))?.mtimeMs;
      // A link whose file is gone; or an older revision of a file that the Hub's cache also has in a newer one.
      if (called === undefined || modified === undefined) continue;
      if (modified < (models.get(called)?.modified ?? 0)) continue;
      models.set(called, { path, modified });
    }
  }
  return [...models].map(([called, { path }]) => ({ store, name: called, path }));
}

/** The models' files, of split models that are complete the first part. */
async function ggufFiles(folder: string): Promise<string[]> {
  const files = new Set(await readdir(folder, { recursive: true }).catch(() => []));
  return [...files]
    .filter((name) => name.endsWith(".gguf"))
    .filter((name) => name === allParts(name)[0] && allParts(name).every((part) => files.has(part)))
    .map((name) => join(folder, name));
}
