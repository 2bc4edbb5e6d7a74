import type { Sampling } from "./sampling.ts";
import type { Answer, AnswerOptions, Conversation, ConversationOptions } from "./types.ts";

/** What the process of a conversation offers (host.ts). */
export interface ChatCalls {
  /** Called first, once. Reports which GPU is not used. @returns how many tokens the context has */
  open(
    path: string,
    mode: Conversation["mode"],
    options: Omit<ConversationOptions, "signal" | "onNotice">,
  ): number;
  /** Reports each piece of the answer. */
  answer(
    prompt: string,
    options: Pick<AnswerOptions, "seed"> & { readonly maxTokens: number } & Sampling,
  ): Answer;
}
