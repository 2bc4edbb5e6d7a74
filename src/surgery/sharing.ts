import { alignUp } from "../gguf/header.ts";
import type { TensorInfo } from "../gguf/types.ts";

/**
 * btrfs and XFS can let two files share blocks of this many bytes, if the bytes are at the same distance from a block's
 * start in both. So where a tensor comes to stand decides whether it is shared, in no time and no space, or copied.
 */
const BLOCK = 4096;
/** Tensors of fewer bytes are not worth sharing: norms and biases. They serve to fill gaps. */
const SMALL = 16 * BLOCK;
/** The order of tensors is left alone when at least this part of the bytes can be shared as they are. */
const ENOUGH = 0.97;

/** Where an offset lies within its block. */
export const phaseOf = (offset: number) => ((offset % BLOCK) + BLOCK) % BLOCK;

/** Tensors in an order, and where their data must begin within a block so that most bytes can be shared. */
export interface Arrangement<Tensor> {
  readonly tensors: readonly Tensor[];
  readonly phase: number;
}

type Placed = Pick<TensorInfo, "file" | "fileOffset" | "byteLength">;

/**
 * Finds the order of tensors that lets the output share the input's blocks. That is the order they have, if removing
 * blocks moves what follows by whole multiples of 4096 bytes. Where it does not (small tensors of odd sizes, such as
 * Qwen3's 512-byte norms), large tensors of the same phase stand together, with as many small ones between two phases as
 * it takes to get from one to the other; the other small ones come last.
 */
export function arrangeForSharing<Tensor extends Placed>(
  tensors: readonly Tensor[],
  alignment: number,
): Arrangement<Tensor> {
  const asTheyAre = bestPhase(tensors, alignment);
  const bytes = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (asTheyAre.shared >= ENOUGH * bytes) return { tensors, phase: asTheyAre.phase };
  const reordered = groupByPhase(tensors, alignment);
  const afterwards = bestPhase(reordered, alignment);
  return afterwards.shared > asTheyAre.shared
    ? { tensors: reordered, phase: afterwards.phase }
    : { tensors, phase: asTheyAre.phase };
}

/** The beginning of the data that lets the most bytes be shared, among those that the alignment allows. */
function bestPhase(tensors: readonly Placed[], alignment: number): { phase: number; shared: number } {
  const shared = new Map<number, number>();
  let offset = 0;
  for (const { fileOffset, byteLength } of tensors) {
    const needed = phaseOf(fileOffset - offset);
    if (needed % alignment === 0) shared.set(needed, (shared.get(needed) ?? 0) + byteLength);
    offset += alignUp(byteLength, alignment);
  }
  let best = { phase: 0, shared: 0 };
  for (const [phase, bytes] of shared) if (bytes > best.shared) best = { phase, shared: bytes };
  return best;
}

function groupByPhase<Tensor extends Placed>(tensors: readonly Tensor[], alignment: number): Tensor[] {
  const size = ({ byteLength }: Tensor) => alignUp(byteLength, alignment);
  const large = new Set(tensors.filter(({ byteLength }) => byteLength >= SMALL));
  const small = new Map<number, Tensor[]>();
  for (const tensor of tensors) {
    if (large.has(tensor)) continue;
    const step = phaseOf(size(tensor));
    small.set(step, [...(small.get(step) ?? []), tensor]);
  }
  const ordered: Tensor[] = [];
  let at = phaseOf([...large][0]?.fileOffset ?? 0);
  const place = (tensor: Tensor) => {
    ordered.push(tensor);
    large.delete(tensor);
    at = phaseOf(at + size(tensor));
  };
  while (large.size > 0) {
    const remaining = [...large];
    const next = remaining.find(({ fileOffset }) => phaseOf(fileOffset) === at);
    if (next !== undefined) {
      place(next);
      continue;
    }
    const steps = stepsToAny(at, new Set(remaining.map(({ fileOffset }) => phaseOf(fileOffset))), small);
    if (steps === undefined) place(remaining[0]!);
    else for (const step of steps) place(small.get(step)!.shift()!);
  }
  return [...ordered, ...[...small.values()].flat()];
}

/** The fewest small tensors that lead from one phase to one of some others, as the steps they make (breadth first). */
function stepsToAny(
  from: number,
  goals: ReadonlySet<number>,
  small: ReadonlyMap<number, readonly unknown[]>,
): number[] | undefined {
  const paths = new Map<number, number[]>([[from, []]]);
  for (const [at, path] of paths) {
    if (goals.has(at)) return path;
    for (const [step, { length }] of small) {
      const reached = phaseOf(at + step);
      const used = path.filter((taken) => taken === step).length;
      if (used < length && !paths.has(reached)) paths.set(reached, [...path, step]);
    }
  }
  return undefined;
}
