import { bestSets, type Candidate, keep, keepBest } from "../../compensation/candidates.ts";
import { compensate as findAndJudge, helps } from "../../compensation/compensate.ts";
import type { CompensationChoice, CompensationMode } from "../../compensation/modes.ts";
import { streamRule } from "../../compensation/writers.ts";
import type { Plan } from "../../documents/plan.ts";
import { firstScored } from "../../evaluation/windows.ts";
import { type DescribedModel, type OpenedModel, textOf } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";

/** Sets that factors are tried for where a method has measured several. */
const TRIED = 3;

/** @throws CompensationError, CalibrationError, RuntimeError, AbortedError */
type Compensate = (
  described: DescribedModel,
  opened: OpenedModel,
  plan: Plan,
  choice: CompensationChoice,
  options: ModelRunOptions,
) => Promise<Plan>;

/**
 * Adds to a Plan the factors that make up for its removals, as measured on an open model, or takes away those it has.
 * Those of `fit` are left out where they do not help; the Plan then says so.
 */
export const compensate: Compensate = async (described, opened, given, choice, options) => {
  const plan = without(given);
  if (choice === "off" || plan.removedLayers.length === 0) return plan;
  const candidates = await findFactors(described, opened, [plan.removedLayers], choice, options);
  const { compensation } = candidates[0]!;
  return { ...plan, compensation: keep(compensation, choice === "magnitude" || helps(compensation)) };
};

/**
 * As `compensate`, for a Plan whose method measured several sets: factors are found for the best of them, and the set
 * of the lowest held-back loss becomes the Plan's, with factors only where they help.
 */
export const compensateBest: Compensate = async (described, opened, given, choice, options) => {
  const plan = without(given);
  if (choice === "off" || plan.removedLayers.length === 0) return plan;
  return keepBest(plan, await findFactors(described, opened, bestSets(plan, TRIED), choice, options));
};

const without = ({ compensation: _, ...plan }: Plan): Plan => plan;

async function findFactors(
  { file, architecture }: DescribedModel,
  opened: OpenedModel,
  sets: readonly (readonly number[])[],
  mode: CompensationMode,
  { onProgress }: ModelRunOptions,
): Promise<Candidate[]> {
  const { model, sequenceLength, bos, split, calibration } = opened;
  const rule = streamRule(architecture.name);
  const openSession = () =>
    model.openSession({
      sequenceLength,
      states: architecture.states,
      parallelBlocks: rule.addsOnce?.(file) ?? false,
    });
  const session = openSession();
  const original = openSession();
  const text = textOf(calibration, "analysis");
  const total = sets.length * (split.analysis.length + split.choice.length) * sequenceLength;
  try {
    const candidates: Candidate[] = [];
    for (const [index, removed] of sets.entries()) {
      const compensation = await findAndJudge(mode, {
        rule,
        session,
        original,
        blockCount: architecture.analysedBlocks,
        removed,
        calibration: split.analysis,
        heldBack: { sequences: split.choice, first: firstScored(bos) },
        onProgress: (share) => {
          const done = Math.round(((index + share) / sets.length) * total);
          onProgress?.({ stage: "compensate", done, total, unit: "tokens" });
        },
      });
      candidates.push({ removed, compensation: { ...compensation, calibration: text } });
    }
    return candidates;
  } finally {
    original.close();
    session.close();
  }
}
