import { planRewrite } from "../architecture/architecture.ts";
import { planDeciRewrite } from "../architecture/deci.ts";
import type { Rewrite } from "../architecture/types.ts";
import { blockTensor } from "../gguf/block-names.ts";
import type { GgufFile } from "../gguf/types.ts";
import type { NewTensor } from "../surgery/layout.ts";
import { bridgeTensors } from "./bridge-tensors.ts";
import type { RepairKind } from "./kinds.ts";
import type { StoredMap } from "./tensor.ts";

/** Maps as they are written, by the kept block before the gap, as the original counts. */
export interface StoredRepair {
  readonly kind: RepairKind;
  readonly maps: ReadonlyMap<number, StoredMap>;
}

/** A removal as it is written. */
export interface RepairedRewrite {
  readonly rewrite: Rewrite;
  /** Named as in the output. */
  readonly added: readonly NewTensor[];
  /** Blocks of the output that the original does not have, ascending. */
  readonly inserted: readonly number[];
}

/**
 * What changes in the file when only `kept` stay and maps make up for the others.
 * @throws ArchitectureError as `planRewrite`
 */
export function planRepaired(
  file: GgufFile,
  kept: readonly number[],
  repair: StoredRepair | undefined,
): RepairedRewrite {
  if (repair?.kind === "bridge") {
    const rewrite = planDeciRewrite(file, kept, [...repair.maps.keys()]);
    const added = [...repair.maps].flatMap(([block, map]) => bridgeTensors(rewrite.bridges.get(block)!, map));
    return { rewrite, added, inserted: [...rewrite.bridges.values()] };
  }
  const rewrite = planRewrite(file, kept);
  const added = [...(repair?.maps ?? [])].map(([block, { type, shape, bytes }]) => {
    const name = rewrite.renameTensor(blockTensor(block, "ffn_down.weight"))!;
    return { name, type, shape, bytes };
  });
  return { rewrite, added, inserted: [] };
}
