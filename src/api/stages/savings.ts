import type { Plan } from "../../documents/plan.ts";
import { measureBlocks } from "../../inspection/blocks.ts";
import { planRepaired, type StoredRepair } from "../../repair/rewrite.ts";
import { sum } from "../../statistics.ts";
import { layOut } from "../../surgery/layout.ts";
import { countParameters, type DescribedModel } from "./describe.ts";
import { outputMetadata, writtenTensors } from "./output-metadata.ts";

/**
 * What the file that a Plan makes will hold, without factors; nothing is written for it.
 * @param fingerprint of the model, which the file names
 * @param repair the maps that are written too
 */
export function outputSize(
  described: DescribedModel,
  plan: Plan,
  fingerprint: string,
  repair?: StoredRepair | undefined,
): { readonly bytes: number; readonly parameters: number } {
  const { rewrite, added, inserted } = planRepaired(described.file, plan.keptLayers, repair);
  const metadata = outputMetadata(described, plan, rewrite, fingerprint, { added, inserted });
  const parts = layOut(described.file, rewrite, metadata, {}, { added });
  return {
    bytes: sum(parts.map(({ size }) => size)),
    parameters: countParameters({ tensors: writtenTensors(described.file, rewrite, added) }),
  };
}

/** Weights that one token is multiplied with, in each layer and outside the layers. */
export function activeParameters({ file }: DescribedModel): { blocks: number[]; rest: number } {
  const { blocks, rest } = measureBlocks(file);
  return { blocks: blocks.map((block) => block.activeParameters), rest: rest.activeParameters };
}

/**
 * How many times as fast a model without layers generates, estimated: speed is inverse to the weights that one token is
 * multiplied with; attention over a long context comes on top, and its share is the same in every layer.
 */
export function estimateSpeedup(described: DescribedModel, removedLayers: readonly number[]): number {
  const { blocks, rest } = activeParameters(described);
  return ratio([rest, ...blocks], [rest, ...without(blocks, removedLayers)]);
}

/** The same of a prompt, of which the last token alone is multiplied with the output projection. */
export function estimatePromptSpeedup(described: DescribedModel, removedLayers: readonly number[]): number {
  const { blocks } = activeParameters(described);
  return ratio(blocks, without(blocks, removedLayers));
}

const ratio = (whole: readonly number[], left: readonly number[]) => sum(whole) / sum(left);

const without = (blocks: readonly number[], removed: readonly number[]) =>
  blocks.filter((_, block) => !removed.includes(block));
