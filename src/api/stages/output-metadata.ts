import type { Rewrite } from "../../architecture/types.ts";
import type { Plan } from "../../documents/plan.ts";
import { identity } from "../../export/identity.ts";
import type { GgufFile, TensorInfo } from "../../gguf/types.ts";
import { provenance } from "../../provenance/notes.ts";
import { originsOf, readNumbering } from "../../provenance/numbering.ts";
import type { RepairedRewrite } from "../../repair/rewrite.ts";
import type { MetadataChanges } from "../../surgery/metadata.ts";
import { VERSION } from "../../version.ts";
import { countParameters, type DescribedModel } from "./describe.ts";

/**
 * The metadata by which a written file says what it is and how it was made.
 * @param fingerprint of the model that is cut
 */
export function outputMetadata(
  { file, summary }: DescribedModel,
  plan: Plan,
  rewrite: Rewrite,
  fingerprint: string,
  { added, inserted }: Pick<RepairedRewrite, "added" | "inserted"> = { added: [], inserted: [] },
): MetadataChanges {
  const parameters = countParameters({ tensors: writtenTensors(file, rewrite, added) });
  return new Map([
    ...identity(file.metadata, plan, parameters),
    ...provenance(plan, { fingerprint, inserted, earlier: earlierOf(file, summary.blockCount) }, VERSION),
  ]);
}

/** The tensors that a file will have: those of the model that stay, and those added. */
export function writtenTensors(
  { tensors }: GgufFile,
  { renameTensor }: Rewrite,
  added: RepairedRewrite["added"],
): readonly Pick<TensorInfo, "shape">[] {
  const replaced = new Set(added.map(({ name }) => name));
  const kept = tensors.filter(({ name }) => {
    const renamed = renameTensor(name);
    return renamed !== null && !replaced.has(renamed);
  });
  return [...kept, ...added];
}

/** What had been cut of a model before, if what it says of that can be. */
function earlierOf(file: GgufFile, blockCount: number) {
  const numbering = readNumbering(file);
  const origins = originsOf(numbering);
  const { blocks, removed } = numbering;
  return removed.length > 0 && origins.length === blockCount ? { blocks, origins } : undefined;
}
