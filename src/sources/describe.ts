import { describeFile } from "./language-model.ts";
import type { StoredModel } from "./stored-model.ts";
import { storedModels } from "./stores.ts";

/** A stored model as its header describes it. */
export interface DescribedStoredModel extends StoredModel {
  /** Of all parts. */
  readonly bytes?: number;
  readonly architecture?: string;
  readonly blocks?: number;
  /** Why lorp cannot read it. */
  readonly problem?: string;
}

/**
 * Every language model in GGUF found on this machine with what its header says; a file that cannot be read says why.
 */
export async function describeStoredModels(signal?: AbortSignal): Promise<DescribedStoredModel[]> {
  const models: DescribedStoredModel[] = [];
  for (const stored of await storedModels()) {
    const described = await describeFile(stored.path, signal);
    if (described === undefined) continue;
    if ("problem" in described) {
      models.push({ ...stored, problem: described.problem });
      continue;
    }
    const { file, model } = described;
    const bytes = file.sizes.reduce((sum, size) => sum + size, 0);
    models.push({ ...stored, bytes, architecture: model.name, blocks: model.blockCount });
  }
  return models;
}
