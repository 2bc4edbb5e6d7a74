import { blockOf } from "../gguf/block-names.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";

/** What one block, or everything outside the blocks, is made of. */
export interface Part {
  readonly parameters: number;
  readonly bytes: number;
  /** Weights that take part in a matrix product for each token; of a mixture of experts those that are chosen. */
  readonly activeParameters: number;
  /** Tensor types of the matrices, the one with the most bytes first. */
  readonly types: readonly string[];
}

/** A model's tensors, by block. */
export interface Anatomy {
  readonly blocks: readonly Part[];
  /** Embeddings, output projection, final norm, … */
  readonly rest: Part;
}

const EXPERT_TENSOR = /_exps\.weight$/;

/** Sorts a model's tensors into blocks and sums them up. @param blockCount as `<arch>.block_count` has it */
export function measureBlocks(file: GgufFile, architecture: string, blockCount: number): Anatomy {
  const number = (key: string) => Number(file.metadata.get(`${architecture}.${key}`)?.decode().value ?? 0);
  const experts = number("expert_count");
  const chosen = experts > 0 ? number("expert_used_count") / experts : 1;
  const blocks: TensorInfo[][] = Array.from({ length: blockCount }, () => []);
  const rest: TensorInfo[] = [];
  for (const tensor of file.tensors) {
    (blocks[blockOf(tensor.name) ?? blockCount] ?? rest).push(tensor);
  }
  const hasOutput = rest.some(({ name }) => name === "output.weight");
  return {
    blocks: blocks.map((tensors) => sumUp(tensors, (name) => (EXPERT_TENSOR.test(name) ? chosen : 1))),
    // The embeddings are looked up, not multiplied, unless they serve as the output projection too.
    rest: sumUp(rest, (name) =>
      name === "output.weight" || (name === "token_embd.weight" && !hasOutput) ? 1 : 0,
    ),
  };
}

function sumUp(tensors: readonly TensorInfo[], activeShare: (name: string) => number): Part {
  const bytesByType = new Map<string, number>();
  let parameters = 0;
  let bytes = 0;
  let activeParameters = 0;
  for (const { name, shape, typeName, byteLength } of tensors) {
    const elements = shape.reduce((product, ne) => product * ne, 1);
    parameters += elements;
    bytes += byteLength;
    if (shape.length < 2) continue;
    activeParameters += elements * activeShare(name);
    bytesByType.set(typeName, (bytesByType.get(typeName) ?? 0) + byteLength);
  }
  const types = [...bytesByType].sort(([, a], [, b]) => b - a).map(([type]) => type);
  return { parameters, bytes, activeParameters, types };
}
