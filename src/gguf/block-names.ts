/** `blk.<i>.…` are the tensors of block i; every other tensor belongs to the whole model. */
export const BLOCK_TENSOR = /^blk\.(\d+)\./;

/** The block that a tensor belongs to, in the file's own numbering. */
export function blockOf(name: string): number | undefined {
  const digits = BLOCK_TENSOR.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
