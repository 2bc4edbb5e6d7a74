// The process of a conversation: llama.cpp runs in it, through node-llama-cpp alone.

import type {
  ChatWrapper,
  LLamaChatPromptOptions,
  LlamaCompletionGenerationOptions,
  LlamaContextSequence,
  LlamaModel,
  Token,
} from "node-llama-cpp";
import { AbortedError } from "../errors.ts";
import { RuntimeError } from "../model/errors.ts";
import { loadLibraries, reasonIn } from "../model/llama.ts";
import { idleProcessors, physicalCores, usefulThreads } from "../model/threads.ts";
import { type CallContext, serve } from "../process/serve.ts";
import type { ChatCalls } from "./host-calls.ts";
import type { Conversation, ConversationOptions } from "./types.ts";

/** Of the options for a chat and those for a completion what both know, and of what they return. */
type Generate = (
  prompt: string,
  options: LLamaChatPromptOptions & LlamaCompletionGenerationOptions,
) => Promise<{ readonly text: string; readonly stopReason: string }>;

let sequence: LlamaContextSequence;
let generate: Generate;
let chooseThreads: () => Promise<void>;

serve<ChatCalls>({
  async open({ signal, report }, path, mode, options) {
    await stoppable(signal, load(path, mode, options, signal, report));
    return sequence.context.contextSize;
  },
  async answer(
    { signal, report },
    prompt,
    { maxTokens, seed, repeatPenalty, repeatLastTokens, ...sampling },
  ) {
    await chooseThreads();
    const full = new AbortController();
    watchTokens(sequence, () => full.abort());
    const answer = generate(prompt, {
      ...(sampling.temperature === 0 ? LIKELIEST : sampling),
      repeatPenalty:
        repeatPenalty === 1 || repeatLastTokens === 0
          ? false
          : {
              penalty: repeatPenalty,
              lastTokens: repeatLastTokens < 0 ? Number.MAX_SAFE_INTEGER : repeatLastTokens,
              penalizeNewLine: true,
            },
      onTextChunk: report,
      maxTokens,
      ...(seed !== undefined && { seed }),
      signal: AbortSignal.any([signal, full.signal]),
      stopOnAbortSignal: true,
    });
    const { text, stopReason } = await stoppable(signal, answer);
    if (signal.aborted) throw new AbortedError();
    const end = stopReason === "abort" ? "context" : stopReason === "maxTokens" ? "maxTokens" : "model";
    return { text, end };
  },
});

/** A draw from the most likely token alone. For greedy tokens node-llama-cpp would sort the vocabulary to tell the confidence. */
const LIKELIEST = { temperature: 1, topK: 1 };

/**
 * Looks at each token before it is given out: node-llama-cpp's chats and completions take what NaN gives, and forget the
 * beginning of an answer that fills the context so that it may never end.
 * @param onFull called when the next token but one would find no room
 */
function watchTokens(watched: LlamaContextSequence, onFull: () => void): void {
  watched.evaluate = async function* (tokens, options) {
    const iterator = watched.evaluateWithMetadata(tokens, { confidence: true }, options);
    try {
      let isFirst = true;
      let replacement: Token | Token[] | undefined;
      for (;;) {
        const { value, done } = await iterator.next(replacement);
        if (done) return;
        if (Number.isNaN(value.confidence)) throw new RuntimeError("RUNTIME_NAN", "it computes NaN");
        // Room for a first token is made by forgetting what was said before.
        if (!isFirst && watched.nextTokenIndex >= watched.context.contextSize - 2) onFull();
        isFirst = false;
        replacement = (yield value.token) ?? undefined;
      }
    } finally {
      await iterator.return();
    }
  };
}

/** What node-llama-cpp throws when it is stopped becomes an AbortedError. */
function stoppable<Result>(signal: CallContext["signal"], work: Promise<Result>): Promise<Result> {
  return work.catch((error: unknown) => {
    throw signal.aborted ? new AbortedError() : error;
  });
}

async function load(
  path: string,
  mode: Conversation["mode"],
  { gpu = "auto", gpuLayers, threads, system }: ConversationOptions,
  signal: AbortSignal,
  onNotice: (sentence: string) => void,
): Promise<void> {
  const runtime = await import("node-llama-cpp");
  const { llama, notice, takeComplaints } = await loadLibraries(gpu);
  if (notice !== undefined) onNotice(notice);
  // By itself node-llama-cpp takes four threads at least, which on fewer cores spend their time waiting in turn.
  llama.maxThreads = threads ?? physicalCores(llama.cpuMathCores);
  chooseThreads = async () => {
    if (threads === undefined) llama.maxThreads = usefulThreads(llama.cpuMathCores, await idleProcessors());
  };
  try {
    const model = await llama.loadModel({
      modelPath: path,
      loadSignal: signal,
      ...(gpuLayers !== undefined && { gpuLayers }),
    });
    const context = await model.createContext({ createSignal: signal });
    sequence = context.getSequence();
    generate =
      mode === "completion"
        ? completionIn(runtime, sequence)
        : chatIn(runtime, sequence, chooseForm(runtime, model, path, onNotice), system);
  } catch (error) {
    const complaints = await takeComplaints();
    throw complaints.length > 0 ? new Error(reasonIn(complaints), { cause: error }) : error;
  }
}

function completionIn(
  { LlamaCompletion }: typeof import("node-llama-cpp"),
  contextSequence: LlamaContextSequence,
): Generate {
  const completion = new LlamaCompletion({ contextSequence });
  return async (prompt, options) => {
    const { response, metadata } = await completion.generateCompletionWithMeta(prompt, options);
    return { text: response, stopReason: metadata.stopReason };
  };
}

/** A session that remembers what was said. */
function chatIn(
  { LlamaChatSession }: typeof import("node-llama-cpp"),
  contextSequence: LlamaContextSequence,
  chatWrapper: ChatWrapper,
  systemPrompt: string | undefined,
): Generate {
  const session = new LlamaChatSession({
    contextSequence,
    chatWrapper,
    ...(systemPrompt !== undefined && { systemPrompt }),
  });
  // By itself node-llama-cpp begins with instructions of its own.
  if (systemPrompt === undefined) session.setChatHistory([]);
  return async (prompt, options) => {
    const { responseText, stopReason } = await session.promptWithMeta(prompt, options);
    return { text: responseText, stopReason };
  };
}

/** The form of the model's chat template; where that cannot be used, another one, which is told. */
function chooseForm(
  { resolveChatWrapper }: typeof import("node-llama-cpp"),
  model: LlamaModel,
  path: string,
  onNotice: (sentence: string) => void,
): ChatWrapper {
  try {
    return resolveChatWrapper(model, { fallbackToOtherWrappersOnJinjaError: false });
  } catch (error) {
    const other = resolveChatWrapper(model, { noJinja: true });
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    onNotice(
      `The chat template of ${path} cannot be used (${reason}): the model is talked to in the form "${other.wrapperName}" instead.`,
    );
    return other;
  }
}
