import type { Samples } from "../documents/samples.ts";
import { formatPercent } from "./format.ts";

/** What the samples come to, in a sentence. */
export function describeSamples({ prompts, tokens, agreed, repeated }: Samples): string {
  return (
    `Both went on with ${prompts} prompts by ${tokens} tokens: on average the first ${agreed.toFixed(1)} agree. The pruned ` +
    `model repeats ${formatPercent(repeated.pruned)} of its runs of four tokens, the original ${formatPercent(repeated.original)}.`
  );
}
