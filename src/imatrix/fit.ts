import { placeOf } from "../architecture/loops.ts";
import { readModel } from "../architecture/metadata.ts";
import { blockOf } from "../gguf/block-names.ts";
import type { GgufFile } from "../gguf/types.ts";
import { ImatrixError } from "./errors.ts";
import type { ImportanceMatrix } from "./types.ts";

/** llama.cpp does not look at what an importance matrix says of the embeddings if the size is another. */
const EMBEDDINGS = /(^|_)token_embd\.weight$/;

/**
 * Refuses the importance matrix of another model: with matrices that this one lacks, with others' sizes, or with
 * nothing of one of its blocks.
 * @param blocks that run
 * @throws ImatrixError `IMATRIX_OTHER_MODEL`
 */
export function checkImatrix({ path, values }: ImportanceMatrix, model: GgufFile, blocks: number): void {
  const refuse = (reason: string) => {
    throw new ImatrixError(
      "IMATRIX_OTHER_MODEL",
      `The importance matrix ${path} is of another model than ${model.paths[0]}: ${reason}; make one of this model with llama.cpp's llama-imatrix.`,
    );
  };
  const matrices = model.tensors.filter(({ shape, name }) => shape.length > 1 && name.endsWith(".weight"));
  const sizes = new Map(
    matrices.map(({ name, shape: [columns = 1, , experts = 1] }) => [name, columns * experts]),
  );
  for (const [name, { length }] of values) {
    const size = sizes.get(name);
    if (size === undefined) refuse(`the model has no matrix ${name}`);
    if (size !== length && !EMBEDDINGS.test(name))
      refuse(`it has ${length} values for ${name}, which has ${size}`);
  }
  const block = (name: string) => blockOf(name) ?? Number.NaN;
  const measured = new Set([...values.keys()].map(block));
  const { loops } = readModel(model);
  const missing = matrices
    .map(({ name }) => block(name))
    .find((own) => placeOf(loops, own).layer < blocks && !measured.has(own));
  if (missing !== undefined) refuse(`it has nothing of layer ${placeOf(loops, missing).layer}`);
}

/** A map with other keys, and without those that are renamed to null. */
export function renameKeys<Value>(
  map: ReadonlyMap<string, Value>,
  rename: (key: string) => string | null,
): ReadonlyMap<string, Value> {
  return new Map(
    [...map].flatMap(([key, value]) => {
      const renamed = rename(key);
      return renamed === null ? [] : [[renamed, value] as const];
    }),
  );
}

/**
 * The importance matrix of a model without some of its blocks.
 * @param rename a matrix's name in that model; null for one that goes
 */
export function renameImatrix(
  matrix: ImportanceMatrix,
  rename: (name: string) => string | null,
): ImportanceMatrix {
  return { ...matrix, values: renameKeys(matrix.values, rename) };
}
