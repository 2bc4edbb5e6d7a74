import type { Sampling } from "./sampling.ts";
import type { AnswerOptions, Conversation, ConversationOptions } from "./types.ts";

/** What the process of a conversation offers (host.ts). */
export interface ChatCalls {
  /** Called first, once. Reports which GPU is not used. */
  open(
    path: string,
    mode: Conversation["mode"],
    options: Omit<ConversationOptions, "signal" | "onNotice">,
  ): void;
  /** Reports each piece of the answer. */
  answer(prompt: string, options: Pick<AnswerOptions, "maxTokens" | "seed"> & Sampling): string;
}
