/** `blk.<i>.…` are the tensors of block i; every other tensor belongs to the whole model. */
const BLOCK_TENSOR = /^blk\.(\d+)\./;

/** The block that a tensor belongs to, in the file's own numbering. */
export function blockOf(name: string): number | undefined {
  const digits = BLOCK_TENSOR.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** @param part such as `attn_q.weight` */
export function blockTensor(block: number, part: string): string {
  return `blk.${block}.${part}`;
}

/** What a tensor of a block is called without the block, such as `attn_q.weight`. */
export function partOf(name: string): string {
  return name.replace(BLOCK_TENSOR, "");
}

/** A tensor's name where its block has another number; null where it has none, and of other tensors the name itself. */
export function renumbered(name: string, numberOf: (block: number) => number | undefined): string | null {
  const block = blockOf(name);
  if (block === undefined) return name;
  const number = numberOf(block);
  return number === undefined ? null : blockTensor(number, partOf(name));
}
