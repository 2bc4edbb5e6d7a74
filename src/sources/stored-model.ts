import { basename } from "node:path";
import { withoutPart } from "./parts.ts";

/** A model file that some program keeps on this machine. */
export interface StoredModel {
  /** The program. */
  readonly store: string;
  /** What the model is called there, with slashes: `user/repo/file.gguf`, `llama3.2:3b`. */
  readonly name: string;
  /** The file, of a split model the first part. */
  readonly path: string;
  /** What it is on the Hugging Face Hub, if it came from there. */
  readonly hub?: HubFile;
}

/** A file of a repository of the Hub. */
export interface HubFile {
  /** `user/repo` */
  readonly repository: string;
  /** Path in the repository, of a split model the first part's. */
  readonly file: string;
  /** Branches, tags and commits that have this very file; it is called after the first of them. */
  readonly revisions: readonly string[];
}

/** A model that came from the Hub, called as one would ask for it: `user/repo/file.gguf`, with `#revision` unless main. */
export function hubModel(store: string, path: string, hub: HubFile): StoredModel {
  const [revision = "main"] = hub.revisions;
  const name = `${hub.repository}/${withoutPart(hub.file)}${revision === "main" ? "" : `#${revision}`}`;
  return { store, name, path, hub };
}

/**
 * The part of a file's name that the Hub's tags mean, behind the repository's name: `Q4_K_M` of `m-Q4_K_M.gguf` in
 * `user/m-GGUF`. undefined for a file that is called otherwise, which only the Hub knows the tag of.
 */
export function tagOf({ repository, file }: HubFile): string | undefined {
  const comparable = (text: string) => text.toLowerCase().replaceAll(/[._]/g, "-");
  const model = basename(repository).replace(/-gguf$/i, "");
  const name = basename(withoutPart(file)).replace(/\.gguf$/i, "");
  return comparable(name).startsWith(`${comparable(model)}-`) ? name.slice(model.length + 1) : undefined;
}
