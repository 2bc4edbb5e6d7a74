import { placeOf } from "../architecture/loops.ts";
import { readModel } from "../architecture/metadata.ts";
import { blockOf } from "../gguf/block-names.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";

/** What one block, or everything outside the blocks, is made of. */
export interface Part {
  readonly parameters: number;
  readonly bytes: number;
  /**
   * Weights that take part in a matrix product for each token, as often as they do; of a mixture of experts those that are
   * chosen.
   */
  readonly activeParameters: number;
  /** Tensor types of the matrices, the one with the most bytes first. */
  readonly types: readonly string[];
}

/** A model's tensors, by block. */
export interface Anatomy {
  readonly blocks: readonly Part[];
  /** Everything outside the blocks. */
  readonly rest: Part;
  /** The same by what it is for, the most bytes first. */
  readonly outside: readonly NamedPart[];
}

/** What tensors outside the blocks are for. */
export interface NamedPart extends Part {
  readonly name: string;
}

/** The embedding of a file without a matrix of its own for the output. */
export const TIED_EMBEDDING = "tied embedding";

const EMBEDDING = /^(token_embd|per_layer_token_embd|position_embd|token_types)\b/;
const OUTPUT = /^output\b/;

const EXPERT_TENSOR = /_exps\.weight$/;

/** Sorts a model's tensors into blocks and sums them up. @throws ArchitectureError */
export function measureBlocks(file: GgufFile): Anatomy {
  const { blockCount, loops, number, numbers } = readModel(file);
  const experts = number("expert_count") ?? 0;
  const used = number("expert_used_count") ?? numbers("expert_used_count") ?? 0;
  const blocks: TensorInfo[][] = Array.from({ length: blockCount }, () => []);
  const rest: TensorInfo[] = [];
  for (const tensor of file.tensors) {
    const block = blockOf(tensor.name);
    const layer = block === undefined ? blockCount : placeOf(loops, block).layer;
    (blocks[layer] ?? rest).push(tensor);
  }
  /** How often a token is multiplied with a block's tensor; with how much of it, where it holds experts. */
  const timesMultiplied = (name: string) => {
    const { layer, stack } = placeOf(loops, blockOf(name) ?? 0);
    const usedHere = typeof used === "number" ? used : (used[layer] ?? 0);
    const chosen = EXPERT_TENSOR.test(name) && experts > 0 ? usedHere / experts : 1;
    return chosen * (loops.stacks[stack] ?? 1);
  };
  const hasOutput = rest.some(({ name }) => name === "output.weight");
  // The embeddings are looked up, not multiplied, unless they serve as the output projection too.
  const isMultiplied = (name: string) =>
    name === "output.weight" || (name === "token_embd.weight" && !hasOutput);
  const sumUpRest = (tensors: readonly TensorInfo[]) =>
    sumUp(tensors, (name) => (isMultiplied(name) ? 1 : 0));
  const embedding = hasOutput ? "embedding" : TIED_EMBEDDING;
  const roleOf = ({ name }: TensorInfo) =>
    EMBEDDING.test(name) ? embedding : OUTPUT.test(name) ? "output" : "other tensors";
  return {
    blocks: blocks.map((tensors) => sumUp(tensors, timesMultiplied)),
    rest: sumUpRest(rest),
    outside: [embedding, "output", "other tensors"]
      .map((role) => ({ name: role, ...sumUpRest(rest.filter((tensor) => roleOf(tensor) === role)) }))
      .filter(({ bytes }) => bytes > 0)
      .sort((a, b) => b.bytes - a.bytes),
  };
}

function sumUp(tensors: readonly TensorInfo[], times: (name: string) => number): Part {
  const bytesByType = new Map<string, number>();
  let parameters = 0;
  let bytes = 0;
  let activeParameters = 0;
  for (const { name, shape, typeName, byteLength } of tensors) {
    const elements = shape.reduce((product, ne) => product * ne, 1);
    parameters += elements;
    bytes += byteLength;
    if (shape.length < 2) continue;
    activeParameters += elements * times(name);
    bytesByType.set(typeName, (bytesByType.get(typeName) ?? 0) + byteLength);
  }
  const types = [...bytesByType].sort(([, a], [, b]) => b - a).map(([type]) => type);
  return { parameters, bytes, activeParameters, types };
}
