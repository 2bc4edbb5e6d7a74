import type { StateTensors } from "../../architecture/types.ts";
import { measureSpeeds, type Speed } from "../../evaluation/speed.ts";
import type { Model } from "../../model/model.ts";
import type { OpenedModel } from "./open.ts";
import type { ModelRunOptions } from "./options.ts";
import { threadsFor } from "./resources.ts";

/** Tokens of the prompt that is timed, and of what is generated after it. */
const TIMED = 160;

/** How fast each of two open models is, timed in turn on the text for the report. @throws RuntimeError, AbortedError */
export async function timeInTurn(
  { split }: OpenedModel,
  models: readonly [Timed, Timed],
  options: ModelRunOptions,
): Promise<readonly [Speed, Speed]> {
  const threads = await threadsFor(options);
  const tokens = split.report[0]!.subarray(0, TIMED);
  const sessions = models.map(({ model, states }) =>
    model.openSession({ sequenceLength: tokens.length, states, threads }),
  );
  try {
    const [first, second] = await measureSpeeds(sessions, tokens);
    return [first!, second!];
  } finally {
    for (const session of sessions) session.close();
  }
}

export interface Timed {
  readonly model: Model;
  readonly states: StateTensors;
}
