import { readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { ggufFiles } from "./gguf-files.ts";
import { hubModel, type StoredModel } from "./stored-model.ts";

/**
 * The models in the cache of Hugging Face's own tools: `models--<user>--<repo>` with files by commit in `snapshots` and
 * the commits that branches and tags stand for in `refs` (source: huggingface_hub, "Manage your cache").
 */
export async function hubCacheModels(folder: string): Promise<StoredModel[]> {
  const models: StoredModel[] = [];
  for (const name of await entries(folder)) {
    const [, user, repository] = /^models--(.+?)--(.+)$/.exec(name) ?? [];
    if (repository === undefined) continue;
    models.push(...(await repositoryModels(join(folder, name), `${user}/${repository}`)));
  }
  return models;
}

const entries = (folder: string) => readdir(folder).catch(() => []);

/** A file that several revisions share is one model, called after the first of them; main comes first. */
async function repositoryModels(folder: string, repository: string): Promise<StoredModel[]> {
  const references = await readReferences(join(folder, "refs"));
  const snapshots = (await entries(join(folder, "snapshots"))).map((commit) => ({
    commit,
    revisions: [...references].filter(([, target]) => target === commit).map(([name]) => name),
  }));
  const models = new Map<string, StoredModel>();
  const byRank = snapshots.toSorted((a, b) => rank(a.revisions) - rank(b.revisions));
  for (const { commit, revisions } of byRank) {
    for (const file of await ggufFiles(join(folder, "snapshots", commit))) {
      const path = join(folder, "snapshots", commit, file);
      const target = await realpath(path).catch(() => undefined);
      // A link whose file is gone.
      if (target === undefined) continue;
      const key = `${target} ${file}`;
      const earlier = models.get(key);
      const names = [...(earlier?.hub?.revisions ?? []), ...revisions, commit];
      models.set(
        key,
        hubModel("Hugging Face", earlier?.path ?? path, { repository, file, revisions: names }),
      );
    }
  }
  return [...models.values()];
}

const rank = (revisions: readonly string[]) => (revisions[0] === "main" ? 0 : revisions.length > 0 ? 1 : 2);

/** Names of branches, tags and pull requests, and the commit each stands for; main first. */
async function readReferences(folder: string): Promise<Map<string, string>> {
  const references = new Map<string, string>();
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name);
    const name = path.slice(folder.length + 1).replaceAll("\\", "/");
    references.set(name, (await readFile(path, "utf8")).trim());
  }
  return new Map([...references].toSorted(([a], [b]) => Number(b === "main") - Number(a === "main")));
}
