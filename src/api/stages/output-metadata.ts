import type { Rewrite } from "../../architecture/types.ts";
import type { Plan } from "../../documents/plan.ts";
import { identity } from "../../export/identity.ts";
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
    ...provenance(plan, summary.fingerprint, VERSION),
  ]);
}
