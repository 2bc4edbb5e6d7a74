import type { Plan } from "../../documents/plan.ts";
import { answerChoices } from "../../evaluation/choices.ts";
import { embed } from "../../evaluation/embeddings.ts";
import { compareContinuations, continuePrompts } from "../../evaluation/samples.ts";
import { tokensOf } from "../../evaluation/text.ts";
import type { KeptRepair } from "../../model/session.ts";
import { type Cost, type CostOptions, difference, likeness, taskCost } from "./cost.ts";
import type { DescribedModel } from "./describe.ts";
import { type OpenedModel, partOf } from "./open.ts";
import { costWithout } from "./virtual-cost.ts";

/** A Plan, and the maps that make up for its removals where the model runs. */
export interface Foreseen {
  readonly plan: Plan;
  readonly repairs: readonly KeptRepair[];
}

/**
 * Measures what a written model will cost, on the open model with the layers skipped: nothing is written. Speed is not
 * timed, since skipped layers take time of their own.
 * @throws RuntimeError, EvaluationError, AbortedError
 */
export async function foreseeCost(
  described: DescribedModel,
  foreseen: Foreseen,
  opened: OpenedModel,
  options: CostOptions,
): Promise<Cost> {
  const foresee = described.architecture.states.embeds ? foreseeLikeness : foreseePredictions;
  return foresee(described, foreseen, opened, options);
}

const foreseeLikeness: typeof foreseeCost = async (_, { plan }, opened, { onProgress }) => {
  const { report } = opened.split;
  const once = report.length * opened.sequenceLength;
  const run = (before: number, skip: readonly number[]) =>
    embed(opened.lanes, report, {
      skip,
      onProgress: (done) =>
        onProgress?.({ stage: "evaluate", done: before + done, total: 2 * once, unit: "tokens" }),
    });
  const originals = await run(0, []);
  return likeness(opened, originals, await run(once, plan.removedLayers));
};

const foreseePredictions: typeof foreseeCost = async (described, { plan, repairs }, opened, options) => {
  const { lanes, model, sequenceLength, bos, task } = opened;
  const { states } = described.architecture;
  const text = await partOf(opened, "report");
  const total = tokensOf(text);
  const base = model.openLanes({ sequenceLength, states, scores: true });
  try {
    const cost = await costWithout(opened, plan.removedLayers, text, {
      base,
      repairs,
      onProgress: (done) => options.onProgress?.({ stage: "evaluate", done, total, unit: "tokens" }),
    });
    const { perplexity: original } = await costWithout(opened, [], text);
    const { perplexity: pruned, klDivergence, klStandardError = null, topAgreement } = cost;
    const distance =
      klDivergence === undefined || topAgreement === undefined
        ? undefined
        : { klDivergence, topAgreement, standardError: klStandardError };
    const skip = plan.removedLayers;
    // Answers and continuations are made by skipping alone.
    const isPlain = repairs.length === 0;
    const answersWithout = (without: readonly number[]) =>
      isPlain && task ? answerChoices(lanes, { items: task.report }, without) : undefined;
    const [answered, answers] = [await answersWithout([]), await answersWithout(skip)];
    const originals =
      isPlain && options.samples !== false ? await continuePrompts(model, { states, bos }) : undefined;
    const continued = originals && (await continuePrompts(model, { states, bos, skip }, originals));
    return {
      ...difference(opened, { original, pruned }, distance),
      ...(task && answered && answers && { task: taskCost(task, answered, answers) }),
      ...(originals && continued && { samples: compareContinuations(originals, continued) }),
    };
  } finally {
    base.close();
  }
};
