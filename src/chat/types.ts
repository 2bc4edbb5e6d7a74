import type { GpuChoice } from "../model/gpu.ts";

export interface ConversationOptions {
  readonly gpu?: GpuChoice | undefined;
  /** Layers kept in GPU memory; as many as fit by default. */
  readonly gpuLayers?: number | undefined;
  /** Compute threads; by default the machine's physical cores, at each answer fewer while others keep them busy. */
  readonly threads?: number | undefined;
  readonly system?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told in a sentence which GPU is not used, and why. */
  readonly onNotice?: ((sentence: string) => void) | undefined;
}

/** Most tokens of an answer, where nobody says how many: a damaged model may never end. */
export const DEFAULT_MAX_TOKENS = 2048;

export interface AnswerOptions {
  /** Called with each piece of the answer as it is written. */
  readonly onText?: ((text: string) => void) | undefined;
  /** Most tokens of the answer; 2048 by default. */
  readonly maxTokens?: number | undefined;
  /** 0 always takes the most likely token; what the model's file recommends, else llama.cpp's 0.8, by default. */
  readonly temperature?: number | undefined;
  /** Of what is drawn; another one at each answer by default. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly text: string;
  /** What ended it: the model itself, `maxTokens`, or the end of the context, which what was said before fills too. */
  readonly end: "model" | "maxTokens" | "context";
}

/** A model that is talked to. Close it when done. */
export interface Conversation {
  /** `chat` by the model's chat template; without one the model only goes on with a text: `completion`. */
  readonly mode: "chat" | "completion";
  /** Tokens that what was said and an answer may fill. */
  readonly contextLength: number;
  /**
   * @throws AbortedError when stopped; the conversation can go on. RuntimeError `RUNTIME_NAN` for a model that computes
   * NaN, `CHAT_ANSWER`, `RUNTIME_CRASHED`
   */
  answer(prompt: string, options?: AnswerOptions): Promise<Answer>;
  close(): Promise<void>;
}
