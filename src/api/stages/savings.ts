import { planRewrite } from "../../architecture/architecture.ts";
import type { Plan } from "../../documents/plan.ts";
import { measureBlocks } from "../../inspection/blocks.ts";
import { sum } from "../../statistics.ts";
import { layOut } from "../../surgery/layout.ts";
import type { DescribedModel } from "./open.ts";
import { outputMetadata } from "./output-metadata.ts";

/**
 * Bytes of the file that a Plan makes, without factors or repairs; nothing is written for it.
 * @param fingerprint of the model, which the file names
 */
export function outputBytes(described: DescribedModel, plan: Plan, fingerprint: string): number {
  const rewrite = planRewrite(described.file, plan.keptLayers);
  const parts = layOut(described.file, rewrite, outputMetadata(described, plan, rewrite, fingerprint));
  return sum(parts.map(({ size }) => size));
}

/** Weights that one token is multiplied with, in each block and outside the blocks. */
export function activeParameters({ file, architecture }: DescribedModel): { blocks: number[]; rest: number } {
  const { blocks, rest } = measureBlocks(file, architecture.name, architecture.blockCount);
  return { blocks: blocks.map((block) => block.activeParameters), rest: rest.activeParameters };
}

/**
 * How many times as fast a model without layers generates, estimated: speed is inverse to the weights that one token is
 * multiplied with; attention over a long context comes on top, and its share is the same in every block.
 */
export function estimateSpeedup(described: DescribedModel, removedLayers: readonly number[]): number {
  const { blocks, rest } = activeParameters(described);
  const whole = rest + sum(blocks);
  return whole / (whole - sum(removedLayers.map((layer) => blocks[layer]!)));
}
