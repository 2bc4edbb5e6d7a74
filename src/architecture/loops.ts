/** LLAMA_MAX_LAYERS of llama-hparams.h. */
export const MOST_BLOCKS = 512;

/**
 * How a model runs the same layers in several loops. Each run is a layer to llama.cpp, with a cache of its own: layer i of
 * loop l is i + l · layers in the names of its graph.
 */
export interface Loops {
  /** Layers that a loop runs, from the first to the last. */
  readonly layers: number;
  /**
   * A layer has a block of tensors in each stack, and a loop runs those of one stack: blk.(i + s · layers) is layer i's in
   * stack s, which so many loops run.
   */
  readonly stacks: readonly number[];
  /** How often `block_count`, and arrays with an entry a layer, count each layer. */
  readonly entries: number;
}

type Numbers = (key: string) => number | undefined;

interface Looped {
  readonly keys: readonly string[];
  loops(blockCount: number, ...values: (number | undefined)[]): Loops;
}

/** By architecture, with the keys (without its prefix) that say how. */
const LOOPED: ReadonlyMap<string, Looped> = new Map<string, Looped>([
  // nanbeige.cpp load_arch_hparams: n_layer_phys, n_loops.
  [
    "nanbeige",
    {
      keys: ["num_loops"],
      loops: (blockCount, loops = 1) => ({ layers: blockCount, stacks: [loops], entries: 1 }),
    },
  ],
  // hrm-text.cpp load_arch_hparams: n_slot. In each of the high cycles the low stack runs l_cycles times, then the high one.
  [
    "hrm_text",
    {
      keys: ["hrm.layers_per_stack", "hrm.h_cycles", "hrm.l_cycles"],
      loops: (_, layers = 0, high = 0, low = 0) => ({
        layers,
        stacks: [high * low, high],
        entries: high * (low + 1),
      }),
    },
  ],
]);

const ONCE: Looped = { keys: [], loops: (blockCount) => ({ layers: blockCount, stacks: [1], entries: 1 }) };

/** How many loops there are. */
export function countLoops({ stacks }: Loops): number {
  return stacks.reduce((sum, loops) => sum + loops, 0);
}

/** @param number the value of a key without the architecture's prefix */
export function loopsOf(architecture: string, blockCount: number, number: Numbers): Loops {
  const { keys, loops } = LOOPED.get(architecture) ?? ONCE;
  return loops(blockCount, ...keys.map(number));
}

/** What is wrong with a model's loops, or undefined. */
export function loopsFault(architecture: string, blockCount: number, number: Numbers): string | undefined {
  const loops = loopsOf(architecture, blockCount, number);
  const { layers, stacks, entries } = loops;
  const runs = layers * countLoops(loops);
  const whole = [layers, ...stacks].every((count) => Number.isSafeInteger(count) && count >= 1);
  const fits = layers * entries === blockCount && runs <= MOST_BLOCKS;
  // Layers that predict ahead are no layers of a loop, and llama.cpp takes some away from the last one.
  const ahead = runs > layers && (number("nextn_predict_layers") ?? 0) > 0;
  if (whole && fits && !ahead) return undefined;
  const { keys } = LOOPED.get(architecture) ?? ONCE;
  const said = ["block_count", ...keys, ...(ahead ? ["nextn_predict_layers"] : [])];
  const values = said.map((key) => `${architecture}.${key} is ${number(key) ?? "missing"}`);
  return `${values.join(", ")}, which makes no loops over whole layers, or more than ${MOST_BLOCKS} runs of layers in all`;
}

/** Where a block of tensors belongs; one that the file does not count is a layer by itself. */
export function placeOf(
  { layers, stacks }: Pick<Loops, "layers" | "stacks">,
  block: number,
): { layer: number; stack: number } {
  return block < layers * stacks.length
    ? { layer: block % layers, stack: Math.floor(block / layers) }
    : { layer: block, stack: 0 };
}
