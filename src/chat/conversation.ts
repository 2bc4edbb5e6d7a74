import { checkPreconditions } from "../architecture/preconditions.ts";
import { readGguf } from "../gguf/read.ts";
import { RuntimeError } from "../model/errors.ts";
import type { GpuChoice } from "../model/gpu.ts";
import { crashed } from "../model/runtime.ts";
import { ProcessDied, RemoteError, startProcess } from "../process/start.ts";
import type { ChatCalls } from "./host-calls.ts";
import { samplingOf } from "./sampling.ts";

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

export interface AnswerOptions {
  /** Called with each piece of the answer as it is written. */
  readonly onText?: ((text: string) => void) | undefined;
  /** Most tokens of the answer. */
  readonly maxTokens?: number | undefined;
  /** 0 always takes the most likely token; what the model's file recommends, else llama.cpp's 0.8, by default. */
  readonly temperature?: number | undefined;
  /** Of what is drawn; another one at each answer by default. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A model that is talked to. Close it when done. */
export interface Conversation {
  /** `chat` by the model's chat template; without one the model only goes on with a text: `completion`. */
  readonly mode: "chat" | "completion";
  /** @throws AbortedError when stopped; the conversation can go on */
  answer(prompt: string, options?: AnswerOptions): Promise<string>;
  close(): Promise<void>;
}

/**
 * Opens a model for a conversation, in a process of its own.
 * @param path a GGUF file, or any part of a split one
 * @throws GgufError, RuntimeError, AbortedError
 */
export async function openConversation(
  path: string,
  { signal, onNotice, ...options }: ConversationOptions = {},
): Promise<Conversation> {
  const file = await readGguf(path, { signal });
  checkPreconditions(file);
  const { metadata, paths } = file;
  const template = metadata.get("tokenizer.chat_template");
  if (template && template.type !== "string") {
    throw new RuntimeError(
      "CHAT_TEMPLATE",
      `The chat template of ${path} is no text (${template.type}), so nothing says how to talk to it; give a file with a right one.`,
    );
  }
  const mode = template ? "chat" : "completion";
  const sampling = samplingOf(metadata);
  const host = startProcess<ChatCalls>("chat/host");
  try {
    const { gpu, gpuLayers, threads, system } = options;
    await host.call("open", [paths[0]!, mode, { gpu, gpuLayers, threads, system }], {
      signal,
      onProgress: (notice) => onNotice?.(String(notice)),
    });
  } catch (error) {
    await host.end();
    throw explain(error, path);
  }
  return {
    mode,
    answer: (prompt, { onText, maxTokens, temperature = sampling.temperature, seed, signal: stop } = {}) =>
      host
        .call("answer", [prompt, { ...sampling, temperature, maxTokens, seed }], {
          signal: stop,
          onProgress: (text) => onText?.(String(text)),
        })
        .catch((error: unknown) => {
          throw answerFailed(error, path);
        }),
    close: () => host.end(),
  };
}

/** Why there is no answer. */
function answerFailed(error: unknown, path: string): unknown {
  if (error instanceof ProcessDied) return crashed(path, error);
  if (!(error instanceof RemoteError)) return error;
  const reason = /compress chat history|context size|too long/i.test(error.message)
    ? "what it was told is longer than its context"
    : error.message;
  return new RuntimeError(
    "CHAT_ANSWER",
    `${path} cannot answer (${reason}); give a shorter --system or prompt, or another model.`,
    { cause: error },
  );
}

/** Why a model cannot be opened. */
function explain(error: unknown, path: string): unknown {
  if (error instanceof ProcessDied) return crashed(path, error);
  if (!(error instanceof RemoteError)) return error;
  if (error.code === "RUNTIME_NOT_FOUND")
    return new RuntimeError(error.code, error.message, { cause: error });
  return new RuntimeError(
    "CHAT_LOAD",
    `llama.cpp cannot load ${path} (${error.message}); try --gpu off, or a smaller model.`,
    { cause: error },
  );
}
