import { compensate as findFactors } from "../compensation/compensate.ts";
import type { CompensationChoice } from "../compensation/modes.ts";
import { streamRule } from "../compensation/writers.ts";
import type { Plan } from "../documents/plan.ts";
import type { DescribedModel, OpenedModel } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";

/**
 * Adds to a Plan the factors that make up for its removals, as measured on an open model, or takes away those it has.
 * @throws CompensationError, RuntimeError, AbortedError
 */
export async function compensate(
  { file, architecture }: DescribedModel,
  opened: OpenedModel,
  { compensation: _, ...plan }: Plan,
  choice: CompensationChoice,
  { onProgress }: ModelRunOptions,
): Promise<Plan> {
  if (choice === "off" || plan.removedLayers.length === 0) return plan;
  const { model, sequenceLength, split, calibration } = opened;
  const rule = streamRule(architecture.name);
  const openSession = () =>
    model.openSession({
      sequenceLength,
      states: architecture.states,
      parallelBlocks: rule.addsOnce?.(file) ?? false,
    });
  const session = openSession();
  const original = openSession();
  try {
    const total = (split.analysis.length + split.heldBack.length) * sequenceLength;
    const compensation = await findFactors(choice, {
      rule,
      session,
      original,
      blockCount: architecture.analysedBlocks,
      removed: plan.removedLayers,
      calibration: split.analysis,
      heldBack: split.heldBack,
      onProgress: (share) =>
        onProgress?.({ stage: "compensate", done: Math.round(share * total), total, unit: "tokens" }),
    });
    if (compensation === null) return plan;
    const text = { name: calibration.name, sha256: calibration.sha256 };
    return { ...plan, compensation: { ...compensation, calibration: text } };
  } finally {
    original.close();
    session.close();
  }
}
