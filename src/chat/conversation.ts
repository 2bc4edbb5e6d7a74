import { checkPreconditions } from "../architecture/preconditions.ts";
import { readGguf } from "../gguf/read.ts";
import { RuntimeError } from "../model/errors.ts";
import { crashed } from "../model/runtime.ts";
import { ProcessDied, RemoteError, startProcess } from "../process/start.ts";
import type { ChatCalls } from "./host-calls.ts";
import { samplingOf } from "./sampling.ts";
import { type Conversation, type ConversationOptions, DEFAULT_MAX_TOKENS } from "./types.ts";

/**
 * Opens a model for a conversation, in a process of its own.
 * @param path a GGUF file, or any part of a split one
 * @throws GgufError, RuntimeError, AbortedError
 * @example
 * ```ts
 * import { openConversation } from "lorp";
 *
 * const conversation = await openConversation("model.gguf", { gpu: "off" });
 * try {
 *   await conversation.answer("It was", { maxTokens: 8, onText: (text) => process.stdout.write(text) });
 * } finally {
 *   await conversation.close();
 * }
 * ```
 */
export async function openConversation(
  path: string,
  { signal, onNotice, ...options }: ConversationOptions = {},
): Promise<Conversation> {
  const file = await readGguf(path, { signal });
  checkPreconditions(file);
  const { metadata, paths } = file;
  if (metadata.get("tokenizer.ggml.model")?.decode().value === "no_vocab") {
    throw new RuntimeError("RUNTIME_MODEL", `llama.cpp cannot run ${path}: the model has no tokenizer.`);
  }
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
  let contextLength: number;
  try {
    const { gpu, gpuLayers, threads, system } = options;
    contextLength = await host.call("open", [paths[0]!, mode, { gpu, gpuLayers, threads, system }], {
      signal,
      onProgress: (notice) => onNotice?.(String(notice)),
    });
  } catch (error) {
    await host.end();
    throw explain(error, path);
  }
  return {
    mode,
    contextLength,
    answer: (
      prompt,
      { onText, maxTokens = DEFAULT_MAX_TOKENS, temperature = sampling.temperature, seed, signal: stop } = {},
    ) =>
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
  if (error.code === "RUNTIME_NAN") {
    return new RuntimeError(
      error.code,
      `${path} computes no numbers (NaN), so it cannot answer: its weights are damaged, or too large for llama.cpp; download or convert it again.`,
      { cause: error },
    );
  }
  const reason = /compress chat history|context size|too long/i.test(error.message)
    ? "what it was told is longer than its context"
    : error.message;
  return new RuntimeError(
    "CHAT_ANSWER",
    `${path} cannot answer (${reason}); give a shorter \`system\` or prompt, or another model.`,
    { cause: error },
  );
}

/** Why a model cannot be opened. */
function explain(error: unknown, path: string): unknown {
  if (error instanceof ProcessDied) return crashed(path, error);
  if (!(error instanceof RemoteError)) return error;
  if (error.code === "RUNTIME_NOT_FOUND")
    return new RuntimeError(error.code, error.message, { cause: error });
  const advice = /memory|VRAM|alloc/i.test(error.message)
    ? 'try `gpu: "off"`, or a smaller model'
    : "the file is damaged, or made for another llama.cpp";
  return new RuntimeError("CHAT_LOAD", `llama.cpp cannot load ${path} (${error.message}); ${advice}.`, {
    cause: error,
  });
}
