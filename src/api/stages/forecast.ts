import { RuntimeError } from "../../model/errors.ts";
import type { Lanes } from "../../model/lanes.ts";
import { formatDuration } from "../../report/format.ts";
import { sum } from "../../statistics.ts";
import type { ModelRunOptions } from "./options.ts";

/** Tokens of one short run that tells how fast a model is here. */
const PROBE = 64;

/** Work that lies ahead: what it is for, and the tokens that it takes at most, or about. */
export type Work = readonly [purpose: string, tokens: number];

/** Work that takes less is not worth a word, seconds. */
const SHORT = 10;

/**
 * Says beforehand about how long work will take, by timing a short run of the model, which is not run where there is none.
 * @param text some tokens to run, of the length that the work's sequences have
 * @throws RuntimeError, AbortedError
 */
export async function forecast(
  opened: { readonly lanes: Lanes },
  text: Int32Array,
  work: readonly Work[],
  { onNotice }: Pick<ModelRunOptions, "onNotice">,
): Promise<void> {
  const ahead = work.filter(([, tokens]) => tokens > 0);
  if (!onNotice || ahead.length === 0) return;
  const pace = await paceOf(opened.lanes, text).catch((error: unknown) => {
    // Whether the model computes numbers is for the work to judge: few tokens may overflow where many do not.
    if (error instanceof RuntimeError && error.code === "RUNTIME_NAN") return undefined;
    throw error;
  });
  if (pace === undefined) return;
  const total = sum(ahead.map(([, tokens]) => tokens));
  if (total < SHORT * pace) return;
  const parts = ahead.map(([purpose, tokens]) => `${count(tokens)} ${purpose}`);
  onNotice(
    `About ${formatDuration(total / pace)} at ${Math.round(pace)} tokens/s, less where measurements are kept: ${parts.join(", ")}.`,
  );
}

const count = (tokens: number) => `${Math.max(1, Math.round(tokens / 1000))} k tokens`;

/**
 * Tokens a second of all contexts together. The first run reads the weights in, and is not timed; the second is of other
 * tokens, since a context keeps what it computed of the last ones.
 */
async function paceOf(lanes: Lanes, text: Int32Array): Promise<number> {
  const run = (tokens: Int32Array) =>
    Promise.all(Array.from({ length: lanes.count }, () => lanes.run((session) => session.score(tokens))));
  const length = Math.min(PROBE, Math.floor(text.length / 2));
  await run(text.subarray(0, length));
  const began = performance.now();
  await run(text.subarray(length, 2 * length));
  return (1000 * lanes.count * length) / (performance.now() - began);
}
