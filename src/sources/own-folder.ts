import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { variable } from "../environment.ts";
import { cacheFolder } from "../files/cache-folder.ts";
import { writeWhole } from "../files/whole.ts";
import { SourceError } from "./errors.ts";
import { originalName, storedName } from "./names.ts";
import { withoutPart } from "./parts.ts";
import type { HubReference } from "./reference.ts";
import { hubModel, type StoredModel } from "./stored-model.ts";

/**
 * Where lorp keeps what it downloads: `hf/<user>/<repo>[@<revision>]/<file>` and `<host>/<path>`. Writers and reader of
 * these names stand here side by side.
 */

/** undefined for a user without a home who names no folder. */
export function modelsFolder(): string | undefined {
  const caches = cacheFolder();
  return variable("LORP_MODELS") ?? (caches && join(caches, "models"));
}

/** @throws SourceError `DOWNLOAD_UNWRITABLE` */
function downloads(): string {
  const folder = modelsFolder();
  if (folder !== undefined) return folder;
  throw new SourceError(
    "DOWNLOAD_UNWRITABLE",
    "There is no home folder to keep a downloaded model in; name a folder with LORP_MODELS, or set HOME.",
  );
}

/** Where a file from an address goes. Another query may be another file, and may hold a key: it is a hash. */
export function urlDestination({ host, pathname, search }: URL): string {
  const query = search ? [createHash("sha256").update(search).digest("hex").slice(0, 12)] : [];
  const path = pathname.split("/").filter(Boolean);
  return join(downloads(), storedName(host), ...query, ...path.map((part) => storedName(originalName(part))));
}

/** Where a file of a repository of the Hub goes. */
export function hubDestination({ repository, revision }: HubReference, path: string): string {
  return join(repositoryFolder(repository, revision), ...path.split("/").map(storedName));
}

function repositoryFolder(repository: string, revision: string): string {
  const folder = revision === "main" ? repository : `${repository}@${storedName(revision)}`;
  return join(downloads(), "hf", folder);
}

/** The model at a path below the folder. */
export function ownModel(folder: string, path: string): StoredModel {
  const names = path.split("/").map(originalName);
  const [, user = "", repository = "", revision] = /^hf\/([^/@]+)\/([^/@]+)(?:@([^/]+))?\//.exec(path) ?? [];
  if (repository === "") return { store: "lorp", name: withoutPart(path), path: join(folder, path) };
  return hubModel("lorp", join(folder, path), {
    repository: `${user}/${repository}`,
    file: names.slice(3).join("/"),
    revisions: [revision === undefined ? "main" : originalName(revision)],
  });
}

/** Where it stands which file a tag of the Hub meant when it was downloaded. */
const tagFile = ({ repository, revision }: HubReference, tag: string) =>
  join(repositoryFolder(repository, revision), ".tags", `${storedName(tag.toLowerCase())}.txt`);

export async function rememberTag(reference: HubReference, tag: string, file: string): Promise<void> {
  const path = tagFile(reference, tag);
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, file);
}

export async function rememberedTag(reference: HubReference, tag: string): Promise<string | undefined> {
  if (modelsFolder() === undefined) return undefined;
  return readFile(tagFile(reference, tag), "utf8").catch(() => undefined);
}
