// The process of a conversation: llama.cpp runs in it, through node-llama-cpp alone.

import type { LLamaChatPromptOptions, LlamaCompletionGenerationOptions } from "node-llama-cpp";
import { AbortedError } from "../errors.ts";
import { loadLibraries, reasonIn } from "../model/llama.ts";
import { idleProcessors, physicalCores, usefulThreads } from "../model/threads.ts";
import { type CallContext, serve } from "../process/serve.ts";
import type { ChatCalls } from "./host-calls.ts";
import type { Conversation, ConversationOptions } from "./types.ts";

/** Of the options for a chat and those for a completion what both know. */
type Generate = (
  prompt: string,
  options: LLamaChatPromptOptions & LlamaCompletionGenerationOptions,
) => Promise<string>;

let generate: Generate;
let chooseThreads: () => Promise<void>;

serve<ChatCalls>({
  async open({ signal, report }, path, mode, options) {
    generate = await stoppable(signal, load(path, mode, options, signal, report));
  },
  async answer(
    { signal, report },
    prompt,
    { maxTokens, seed, repeatPenalty, repeatLastTokens, ...sampling },
  ) {
    await chooseThreads();
    const answer = generate(prompt, {
      ...sampling,
      repeatPenalty:
        repeatPenalty === 1 || repeatLastTokens === 0
          ? false
          : {
              penalty: repeatPenalty,
              lastTokens: repeatLastTokens < 0 ? Number.MAX_SAFE_INTEGER : repeatLastTokens,
              penalizeNewLine: true,
            },
      onTextChunk: report,
      ...(maxTokens !== undefined && { maxTokens }),
      ...(seed !== undefined && { seed }),
      signal,
    });
    return stoppable(signal, answer);
  },
});

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
): Promise<Generate> {
  const runtime = await import("node-llama-cpp");
  const complaints: string[] = [];
  const { llama, notice } = await loadLibraries(gpu, (message) => complaints.push(message));
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
    const contextSequence = context.getSequence();
    if (mode === "completion") {
      const completion = new runtime.LlamaCompletion({ contextSequence });
      return (prompt, given) => completion.generateCompletion(prompt, given);
    }
    return chatIn(runtime, contextSequence, chooseForm(runtime, model, path, onNotice), system);
  } catch (error) {
    throw complaints.length > 0 ? new Error(reasonIn(complaints), { cause: error }) : error;
  }
}

/** A session that remembers what was said. */
function chatIn(
  { LlamaChatSession }: typeof import("node-llama-cpp"),
  contextSequence: import("node-llama-cpp").LlamaContextSequence,
  chatWrapper: import("node-llama-cpp").ChatWrapper,
  systemPrompt: string | undefined,
): Generate {
  const session = new LlamaChatSession({
    contextSequence,
    chatWrapper,
    ...(systemPrompt !== undefined && { systemPrompt }),
  });
  // By itself node-llama-cpp begins with instructions of its own.
  if (systemPrompt === undefined) session.setChatHistory([]);
  return (prompt, options) => session.prompt(prompt, options);
}

/** The form of the model's chat template; where that cannot be used, another one, which is told. */
function chooseForm(
  { resolveChatWrapper }: typeof import("node-llama-cpp"),
  model: import("node-llama-cpp").LlamaModel,
  path: string,
  onNotice: (sentence: string) => void,
): import("node-llama-cpp").ChatWrapper {
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
