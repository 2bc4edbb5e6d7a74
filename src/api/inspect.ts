import { PREDICTION_BLOCKS } from "../architecture/rules.ts";
import type { ModelSummary } from "../documents/model.ts";
import { measureBlocks } from "../inspection/blocks.ts";
import { readNumbering } from "../provenance/numbering.ts";
import { sum } from "../statistics.ts";
import { checkNames } from "./check-options.ts";
import { describeModel, fileBytes } from "./stages/describe.ts";

/** What a model is made of, and what removing layers would save. */
export interface Inspection {
  readonly model: ModelSummary;
  readonly blocks: readonly InspectedBlock[];
  /** Everything outside the layers, which stays whatever goes. */
  readonly rest: {
    readonly parameters: number;
    readonly bytes: number;
    readonly computeShare: number;
    /** What it is made of, the most bytes first: embedding, output, other tensors, metadata. */
    readonly parts: readonly OutsidePart[];
  };
  /** For each number of layers that can go, the mean over all choices of that many. */
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
  /** Whether lorp put it in to make up for removed layers. */
  readonly inserted?: true;
}

/** Something in the file that is of no layer. */
export interface OutsidePart {
  readonly name: string;
  readonly bytes: number;
  /** Tensor types of its matrices, the one with the most bytes first. */
  readonly types: readonly string[];
  readonly fileShare: number;
  readonly computeShare: number;
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
  const { file, architecture, summary } = await describeModel(path, options);
  const anatomy = measureBlocks(file);
  const size = fileBytes(file);
  const active = sum([...anatomy.blocks, anatomy.rest].map(({ activeParameters }) => activeParameters));
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
  const bytesInBlocks = sum(blocks.map(({ bytes }) => bytes));
  const metadata = size - bytesInBlocks - anatomy.rest.bytes;
  const mean = (value: (block: InspectedBlock) => number) =>
    sum(inner.map(value)) / Math.max(inner.length, 1);
  return {
    model: summary,
    blocks,
    rest: {
      parameters: anatomy.rest.parameters,
      bytes: size - bytesInBlocks,
      computeShare: anatomy.rest.activeParameters / active,
      parts: [...anatomy.outside, { name: "metadata", bytes: metadata, types: [], activeParameters: 0 }]
        .map(({ name, bytes, types, activeParameters }) => ({
          name,
          bytes,
          types,
          fileShare: bytes / size,
          computeShare: activeParameters / active,
        }))
        .sort((a, b) => b.bytes - a.bytes),
    },
    savings: inner.map((_, index) => ({
      remove: index + 1,
      bytes: Math.round((index + 1) * mean(({ bytes }) => bytes)),
      fileShare: (index + 1) * mean(({ fileShare }) => fileShare),
      computeShare: (index + 1) * mean(({ computeShare }) => computeShare),
    })),
  };
}
