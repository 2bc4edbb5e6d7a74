import { availableParallelism } from "node:os";
import { AbortedError } from "../errors.ts";
import { readGguf } from "../gguf/read.ts";
import { RuntimeError } from "../model/errors.ts";
import type { GpuChoice } from "../model/gpu.ts";

export interface ConversationOptions {
  readonly gpu?: GpuChoice | undefined;
  /** Layers kept in GPU memory; as many as fit by default. */
  readonly gpuLayers?: number | undefined;
  /** Compute threads; the machine's cores by default. */
  readonly threads?: number | undefined;
  readonly system?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AnswerOptions {
  /** Called with each piece of the answer as it is written. */
  readonly onText?: ((text: string) => void) | undefined;
  /** Most tokens of the answer. */
  readonly maxTokens?: number | undefined;
  /** 0, the default, always takes the most likely token. */
  readonly temperature?: number | undefined;
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
 * Opens a model for a conversation, through node-llama-cpp alone.
 * @param path a GGUF file, or any part of a split one
 * @throws GgufError, RuntimeError, AbortedError
 */
export async function openConversation(
  path: string,
  options: ConversationOptions = {},
): Promise<Conversation> {
  const { metadata, paths } = await readGguf(path, { signal: options.signal });
  const mode = metadata.has("tokenizer.chat_template") ? "chat" : "completion";
  const runtime = await import("node-llama-cpp");
  const { gpu = "auto", gpuLayers, threads, system, signal } = options;
  const llama = await runtime
    .getLlama({
      gpu: gpu === "off" ? false : gpu,
      build: "never",
      progressLogs: false,
      logLevel: runtime.LlamaLogLevel.disabled,
      // By itself node-llama-cpp takes four threads at least, which on fewer cores spend their time waiting in turn.
      maxThreads: threads ?? availableParallelism(),
    })
    .catch((cause: unknown) => {
      throw new RuntimeError(
        "RUNTIME_NOT_FOUND",
        `No llama.cpp for GPU "${gpu}" is installed for this machine; try --gpu off.`,
        {
          cause,
        },
      );
    });
  try {
    const model = await llama.loadModel({
      modelPath: paths[0]!,
      ...(gpuLayers !== undefined && { gpuLayers }),
      ...(signal && { loadSignal: signal }),
    });
    const context = await model.createContext({ ...(signal && { createSignal: signal }) });
    const generate = generator(runtime, context.getSequence(), mode, system);
    return {
      mode,
      async answer(prompt, { onText, maxTokens, temperature = 0, seed, signal: stop } = {}) {
        return generate(prompt, {
          temperature,
          ...(onText && { onTextChunk: onText }),
          ...(maxTokens !== undefined && { maxTokens }),
          ...(seed !== undefined && { seed }),
          ...(stop && { signal: stop }),
        }).catch((error: unknown) => {
          throw stop?.aborted ? new AbortedError() : error;
        });
      },
      close: () => llama.dispose(),
    };
  } catch (cause) {
    await llama.dispose();
    if (signal?.aborted) throw new AbortedError();
    throw new RuntimeError(
      "CHAT_LOAD",
      `llama.cpp cannot load ${path} (${cause instanceof Error ? cause.message : String(cause)}); try --gpu off, or a smaller model.`,
      { cause },
    );
  }
}

type Generate = (
  prompt: string,
  options: {
    temperature: number;
    onTextChunk?: (text: string) => void;
    maxTokens?: number;
    seed?: number;
    signal?: AbortSignal;
  },
) => Promise<string>;

/** What turns a prompt into an answer: a session that remembers what was said, or the bare model. */
function generator(
  { LlamaChatSession, LlamaCompletion }: typeof import("node-llama-cpp"),
  contextSequence: import("node-llama-cpp").LlamaContextSequence,
  mode: Conversation["mode"],
  systemPrompt: string | undefined,
): Generate {
  if (mode === "completion") {
    const completion = new LlamaCompletion({ contextSequence });
    return (prompt, options) => completion.generateCompletion(prompt, options);
  }
  const session = new LlamaChatSession({
    contextSequence,
    ...(systemPrompt !== undefined && { systemPrompt }),
  });
  return (prompt, options) => session.prompt(prompt, options);
}
