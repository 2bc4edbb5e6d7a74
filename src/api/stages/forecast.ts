import type { Lanes } from "../../model/lanes.ts";
import { formatDuration } from "../../report/format.ts";
import type { ModelRunOptions } from "./options.ts";

/** Tokens of one short run that tells how fast a model is here. */
const PROBE = 24;

/** Work that lies ahead: what it is for, and the tokens that it takes at most, or about. */
export type Work = readonly [purpose: string, tokens: number];

/** Work that takes less is not worth a word, seconds. */
const SHORT = 10;

/**
 * Says beforehand about how long work will take, by timing a short run of the model.
 * @param text some tokens to run, of the length that the work's sequences have
 * @throws RuntimeError, AbortedError
 */
export async function forecast(
  lanes: Lanes,
  text: Int32Array,
  work: readonly Work[],
  { onNotice }: Pick<ModelRunOptions, "onNotice">,
): Promise<void> {
  if (!onNotice) return;
  const pace = await paceOf(lanes, text.subarray(0, PROBE));
  const ahead = work.filter(([, tokens]) => tokens > 0);
  const total = ahead.reduce((sum, [, tokens]) => sum + tokens, 0);
  if (total < SHORT * pace) return;
  const parts = ahead.map(([purpose, tokens]) => `${count(tokens)} ${purpose}`);
  onNotice(
    `About ${formatDuration(total / pace)} at ${Math.round(pace)} tokens/s, less where measurements are kept: ${parts.join(", ")}.`,
  );
}

const count = (tokens: number) => `${Math.max(1, Math.round(tokens / 1000))} k tokens`;

/** Tokens a second of all contexts together; the first run reads the weights in, and is not timed. */
async function paceOf(lanes: Lanes, tokens: Int32Array): Promise<number> {
  const runs = () =>
    Promise.all(Array.from({ length: lanes.count }, () => lanes.run((session) => session.score(tokens))));
  await runs();
  const began = performance.now();
  await runs();
  return (1000 * lanes.count * tokens.length) / (performance.now() - began);
}
