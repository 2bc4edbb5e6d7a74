import { PREDICTION_BLOCKS } from "../architecture/rules.ts";
import { readNumbering } from "../diff/numbering.ts";
import type { ModelSummary } from "../documents/model.ts";
import { measureBlocks } from "../inspection/blocks.ts";
import { checkNames } from "./check-options.ts";
import { describeModel, fileBytes } from "./stages/open.ts";

/** What a model is made of, and what removing blocks would save. */
export interface Inspection {
  readonly model: ModelSummary;
  readonly blocks: readonly InspectedBlock[];
  /** Everything outside the blocks: embeddings, output projection, metadata. */
  readonly rest: { readonly parameters: number; readonly bytes: number; readonly computeShare: number };
  /** For each number of blocks that can go, the mean over all choices of that many. */
  readonly savings: readonly Saving[];
}

export interface InspectOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface InspectedBlock {
  readonly layer: number;
  readonly parameters: number;
  readonly bytes: number;
  /** Tensor types of its matrices, the one with the most bytes first. */
  readonly types: readonly string[];
  readonly fileShare: number;
  /** Share of the matrix products of one token; attention over the context comes on top and grows with it. */
  readonly computeShare: number;
  /** The rule of the architecture that holds it in place, if one does. */
  readonly fixedBy?: string;
  /** Whether lorp put it in to make up for removed blocks. */
  readonly inserted?: true;
}

export interface Saving {
  readonly remove: number;
  readonly bytes: number;
  readonly fileShare: number;
  readonly computeShare: number;
}

/**
 * Reads a model's header and sums up its tensors; llama.cpp is not needed.
 * @throws GgufError, ArchitectureError
 * @example
 * ```ts
 * import { inspect } from "lorp";
 *
 * const { model, savings } = await inspect("model.gguf");
 * console.log(model.architecture, model.blockCount, savings[4]?.fileShare);
 * ```
 */
export async function inspect(path: string, options: InspectOptions = {}): Promise<Inspection> {
  checkNames(options, { signal: true });
  const { file, architecture, summary } = await describeModel(path, options.signal);
  const anatomy = measureBlocks(file, architecture.name, architecture.blockCount);
  const size = fileBytes(file);
  const active = [...anatomy.blocks, anatomy.rest].reduce((sum, part) => sum + part.activeParameters, 0);
  const { fixed, oneOf = [] } = architecture.constraints;
  const only = oneOf.flatMap(({ layers: [layer, ...others], rule }) =>
    layer === undefined || others.length > 0 ? [] : [{ layer, rule }],
  );
  const fixedBy = new Map([...fixed, ...only].map(({ layer, rule }) => [layer, rule]));
  const inserted = new Set(readNumbering(file).inserted);
  const blocks = anatomy.blocks.map((part, layer): InspectedBlock => {
    const rule = layer < architecture.analysedBlocks ? fixedBy.get(layer) : PREDICTION_BLOCKS;
    return {
      layer,
      parameters: part.parameters,
      bytes: part.bytes,
      types: part.types,
      fileShare: part.bytes / size,
      computeShare: part.activeParameters / active,
      ...(rule === undefined ? {} : { fixedBy: rule }),
      ...(inserted.has(layer) && { inserted: true }),
    };
  });
  const inner = blocks
    .slice(1, architecture.analysedBlocks - 1)
    .filter((block) => block.fixedBy === undefined && !block.inserted);
  const mean = (value: (block: InspectedBlock) => number) =>
    inner.reduce((sum, block) => sum + value(block), 0) / Math.max(inner.length, 1);
  return {
    model: summary,
    blocks,
    rest: {
      parameters: anatomy.rest.parameters,
      bytes: size - anatomy.blocks.reduce((sum, { bytes }) => sum + bytes, 0),
      computeShare: anatomy.rest.activeParameters / active,
    },
    savings: inner.map((_, index) => ({
      remove: index + 1,
      bytes: Math.round((index + 1) * mean(({ bytes }) => bytes)),
      fileShare: (index + 1) * mean(({ fileShare }) => fileShare),
      computeShare: (index + 1) * mean(({ computeShare }) => computeShare),
    })),
  };
}
