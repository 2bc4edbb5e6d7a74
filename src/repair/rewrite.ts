import { planRewrite } from "../architecture/architecture.ts";
import { planDeciRewrite } from "../architecture/deci.ts";
import type { Rewrite } from "../architecture/types.ts";
import { blockTensor } from "../gguf/block-names.ts";
import type { GgufFile } from "../gguf/types.ts";
import type { NewTensor } from "../surgery/layout.ts";
import { bridgeTensors } from "./bridge-tensors.ts";
import type { StoredMap } from "./tensor.ts";

/** Maps as they are written, by the kept block whose output they change, as the original counts. */
export interface StoredRepair {
  /** Those that take the place of its `ffn_down`. */
  readonly refits: ReadonlyMap<number, StoredMap>;
  /** Those that stand behind it. */
  readonly bridges: ReadonlyMap<number, StoredMap>;
}

const NOTHING: StoredRepair = { refits: new Map(), bridges: new Map() };

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
  const { refits, bridges } = repair ?? NOTHING;
  const refitted = ({ renameTensor }: Rewrite) =>
    [...refits].map(([block, { type, shape, bytes }]) => {
      const name = renameTensor(blockTensor(block, "ffn_down.weight"))!;
      return { name, type, shape, bytes };
    });
  if (bridges.size === 0) {
    const rewrite = planRewrite(file, kept);
    return { rewrite, added: refitted(rewrite), inserted: [] };
  }
  const rewrite = planDeciRewrite(file, kept, [...bridges.keys()]);
  const put = [...bridges].flatMap(([block, map]) => bridgeTensors(rewrite.bridges.get(block)!, map));
  return { rewrite, added: [...put, ...refitted(rewrite)], inserted: [...rewrite.bridges.values()] };
}
