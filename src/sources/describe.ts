import { readModel } from "../architecture/metadata.ts";
import { LorpError } from "../errors.ts";
import { readGguf } from "../gguf/read.ts";
import { type StoredModel, storedModels } from "./stores.ts";

/** A stored model as its header describes it. */
export interface DescribedStoredModel extends StoredModel {
  /** Of all parts. */
  readonly bytes?: number;
  readonly architecture?: string;
  readonly blocks?: number;
  /** Why lorp cannot read it. */
  readonly problem?: string;
}

/** Every GGUF model found on this machine with what its header says; a file that cannot be read says why. */
export async function describeStoredModels(signal?: AbortSignal): Promise<DescribedStoredModel[]> {
  const models: DescribedStoredModel[] = [];
  for (const model of await storedModels())
    models.push({ ...model, ...(await describe(model.path, signal)) });
  return models;
}

async function describe(
  path: string,
  signal: AbortSignal | undefined,
): Promise<Omit<DescribedStoredModel, keyof StoredModel>> {
  try {
    const file = await readGguf(path, { signal });
    const bytes = file.sizes.reduce((sum, size) => sum + size, 0);
    const { name, blockCount } = readModel(file);
    return { bytes, architecture: name, blocks: blockCount };
  } catch (error) {
    if (!(error instanceof LorpError) || error.code === "ABORTED") throw error;
    return { problem: error.message };
  }
}
