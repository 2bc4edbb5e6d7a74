import { type ModelMetadata, readModel } from "../architecture/metadata.ts";
import { LorpError } from "../errors.ts";
import { readGguf } from "../gguf/read.ts";
import type { GgufFile } from "../gguf/types.ts";

/** Architectures that only predict ahead for a language model of another one. */
const DRAFT_HEADS: ReadonlySet<unknown> = new Set(["eagle3", "dflash", "gemma4-assistant"]);

/**
 * Whether a file is a language model by itself, and not what is kept beside one: a projector for images or sound, a LoRA
 * adapter, an importance matrix, a draft head (source: gguf-py `GGUFType`; before that key there were projectors alone,
 * of the architecture `clip`).
 */
export function isLanguageModel({ metadata }: GgufFile): boolean {
  const value = (key: string) => metadata.get(key)?.decode().value;
  const architecture = value("general.architecture");
  const type = value("general.type") ?? "model";
  return type === "model" && architecture !== "clip" && !DRAFT_HEADS.has(architecture);
}

/** What a stored file is: a model, no language model, or why it cannot be read. */
export type Description =
  | { readonly file: GgufFile; readonly model: ModelMetadata }
  | { readonly problem: string }
  | undefined;

/** Reads a file's header. @returns undefined for what is no language model */
export async function describeFile(path: string, signal?: AbortSignal): Promise<Description> {
  try {
    const file = await readGguf(path, { signal });
    return isLanguageModel(file) ? { file, model: readModel(file) } : undefined;
  } catch (error) {
    if (!(error instanceof LorpError) || error.code === "ABORTED") throw error;
    return { problem: error.message };
  }
}
