import type { CalibrationText } from "../../documents/analysis.ts";
import { UsageError } from "../../errors.ts";
import { type TokenizedItem, tokenizeChoices } from "../../evaluation/choices.ts";
import { tokensOfItem } from "../../evaluation/margins.ts";
import { loadTask } from "../../evaluation/tasks/load.ts";
import type { Model } from "../../model/model.ts";
import type { Objective } from "../../objectives.ts";

export interface TaskOptions {
  /** Path of a multiple-choice task to choose by and to report on, half of its items each; with the objective `task`. */
  readonly task?: string | undefined;
}

/** A task that layers are chosen by. */
export interface ChoiceTask extends Omit<CalibrationText, "part"> {
  /** What a choice is measured on, in groups of about as many items each. */
  readonly groups: readonly (readonly TokenizedItem[])[];
  /** What is kept for the report. */
  readonly report: readonly TokenizedItem[];
  /** Tokens of the longest choice. */
  readonly longest: number;
}

/** Groups that items for a choice are dealt to: sets of layers are told apart by how these differ. */
const GROUPS = 16;

/** Tokens after which a choice takes no further item: as many as it runs of a text, twice. */
const MOST_TOKENS = 8192;

/** Items that both halves need together. */
const FEWEST_ITEMS = 16;

/** @throws UsageError `OPTION_INVALID` where only one of the two is given */
export function checkTask({
  objective,
  task,
}: TaskOptions & { readonly objective?: Objective | undefined }): void {
  if ((objective === "task") === (task !== undefined)) return;
  throw new UsageError(
    "OPTION_INVALID",
    task === undefined
      ? 'The objective "task" needs a task to choose by: give one with `task`.'
      : "A `task` is only chosen by with the `objective` task: give that, or leave the task out.",
  );
}

/**
 * Reads a task and deals its items: every second one is kept for the report.
 * @throws EvaluationError for a task that cannot be read, or does not suit the model; UsageError `OPTION_INVALID` for one
 *   that no layers can be chosen by
 */
export async function openTask(model: Model, path: string): Promise<ChoiceTask> {
  const task = await loadTask(path);
  if (task.kind === "prompts") {
    throw new UsageError(
      "OPTION_INVALID",
      `The task ${path} has prompts judged by a pattern; layers are chosen by questions of multiple choice: give such a task, or choose by the \`objective\` kl on a \`calibration\` text of the same kind.`,
    );
  }
  if (task.items.length < FEWEST_ITEMS) {
    throw new UsageError(
      "OPTION_INVALID",
      `The task ${path} has ${task.items.length} items, half of which are kept for the report: give at least ${FEWEST_ITEMS}.`,
    );
  }
  const { items, longest } = await tokenizeChoices(model, task);
  const choice = within(
    items.filter((_, index) => index % 2 === 0),
    MOST_TOKENS,
  );
  const count = Math.min(GROUPS, choice.length);
  return {
    name: task.name,
    sha256: task.sha256,
    groups: Array.from({ length: count }, (_, group) => choice.filter((_, index) => index % count === group)),
    report: items.filter((_, index) => index % 2 === 1),
    longest,
  };
}

/** The first items, up to so many tokens. */
function within(items: readonly TokenizedItem[], most: number): TokenizedItem[] {
  let tokens = 0;
  return items.filter((item) => {
    tokens += tokensOfItem(item);
    return tokens <= most;
  });
}
