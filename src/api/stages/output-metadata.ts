import type { Rewrite } from "../../architecture/types.ts";
import { keptBlocks, readNumbering } from "../../diff/numbering.ts";
import type { Plan } from "../../documents/plan.ts";
import { identity } from "../../export/identity.ts";
import type { GgufFile } from "../../gguf/types.ts";
import type { MetadataChanges } from "../../surgery/metadata.ts";
import { provenance } from "../../surgery/provenance.ts";
import { VERSION } from "../../version.ts";
import { countParameters, type DescribedModel } from "./open.ts";

/** The metadata by which a written file says what it is and how it was made. */
export function outputMetadata(
  { file, summary }: DescribedModel,
  plan: Plan,
  rewrite: Rewrite,
): MetadataChanges {
  const kept = file.tensors.filter(({ name }) => rewrite.renameTensor(name) !== null);
  return new Map([
    ...identity(file.metadata, plan, countParameters({ ...file, tensors: kept })),
    ...provenance(plan, summary.fingerprint, VERSION, earlierOf(file, summary.blockCount)),
  ]);
}

/** What had been cut of a model before, if what it says of that can be. */
function earlierOf(file: GgufFile, blockCount: number) {
  const numbering = readNumbering(file);
  const kept = keptBlocks(numbering);
  const { blocks, removed } = numbering;
  return removed.length > 0 && blocks !== undefined && kept.length === blockCount
    ? { blocks, kept }
    : undefined;
}
