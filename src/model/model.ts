import { checkPreconditions } from "../architecture/preconditions.ts";
import { UsageError } from "../errors.ts";
import { readGguf } from "../gguf/read.ts";
import type { GgufFile } from "../gguf/types.ts";
import type { ModelInfo, NativeRepair } from "../native/addon.ts";
import { availableMemory } from "./available-memory.ts";
import { cacheWidth } from "./cache-width.ts";
import type { GpuChoice } from "./gpu.ts";
import { fittingGpuLayers } from "./gpu-layers.ts";
import { createLanes, type Lanes } from "./lanes.ts";
import { budgetMemory, layOutLanes, usefulLanes } from "./memory.ts";
import { openRuntime, type Runtime } from "./runtime.ts";
import {
  type Call,
  type KeptRepair,
  type OpenOptions,
  openSession,
  release,
  type Session,
  type SessionOptions,
  type Sums,
  UNSTOPPED,
} from "./session.ts";
import { physicalCores, usefulThreads } from "./threads.ts";

export interface RunOptions {
  readonly gpu?: GpuChoice | undefined;
  /** `host:port` of llama.cpp's RPC servers that compute; docs/rpc.md. */
  readonly rpc?: readonly string[] | undefined;
  /** Layers kept in GPU memory, or on the servers; by default as many as fit, all on servers. */
  readonly gpuLayers?: number | undefined;
  /** Compute threads; by default the machine's physical cores, fewer while others keep them busy. */
  readonly threads?: number | undefined;
  /** Bytes that may be used beside the mapped model file; 3/4 of what the machine has left by default. */
  readonly maxMemory?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told, in a sentence, what the run does in another way than might be expected: which GPU is not used, and why. */
  readonly onNotice?: ((sentence: string) => void) | undefined;
}

export interface LaneOptions extends Omit<SessionOptions, "keptBytes" | "threads"> {
  /** Whether the lanes score too, which takes memory for logits; false by default. */
  readonly scores?: boolean | undefined;
  /** Whether blocks take nothing from earlier ones but the state, so that scores can start behind what they share. */
  readonly independentBlocks?: boolean | undefined;
}

/** A model held open by llama.cpp. Close it, and its sessions, when done. */
export interface Model {
  readonly info: ModelInfo;
  readonly runtime: Runtime;
  /** Whether the CPU's weights were rearranged; the last bits of results depend on it. */
  readonly repacked: boolean;
  /** The whole text as tokens, without special tokens, markup in it taken as text. */
  tokenize(text: string): Promise<Int32Array>;
  /** A question in the model's own chat format, as tokens; undefined without one that llama.cpp knows. */
  chatPrompt(question: string): Promise<Int32Array | undefined>;
  /** The text of tokens, special ones left out. */
  text(tokens: Int32Array): Promise<string>;
  /** Bytes of text that each token of the vocabulary stands for. */
  tokenBytes(): Promise<Int32Array>;
  openSession(options: SessionOptions): Session;
  /** Contexts to run sequences with, as many and as large as is fastest in the memory that may be used. */
  openLanes(options: LaneOptions): Lanes;
  /** @param targets as many as the embedding is long, of sums that a session gathers */
  openSums(features: number, targets: number): Sums;
  /** Bytes that may be used beside the model's file. */
  readonly workBytes: number;
  /**
   * llama.cpp's own quantisation of the rows of a matrix.
   * @param importance of each column; all alike by default
   */
  quantize(
    type: number,
    values: Float32Array,
    rowLength: number,
    importance?: Float32Array,
  ): Promise<Uint8Array>;
  /** llama.cpp's own reading of a tensor's bytes. */
  dequantize(type: number, bytes: Uint8Array): Promise<Float32Array>;
  /** Holds a map where the model runs, so that it is sent there once. */
  keepRepair(repair: NativeRepair): Promise<KeptRepair>;
  close(): void;
}

/** Weights that are quantised in one call, which cannot be stopped. */
const QUANTIZED_AT_ONCE = 2 ** 20;

/** Bytes that a lane keeps block inputs in at most; all of a 1B model's, every third of an 8B's. */
const MOST_KEPT = 128e6;

/**
 * Loads a model (memory-mapped; the first part of a split one).
 * @param ownRuntime where it runs, instead of the one that all models share
 * @throws RuntimeError when llama.cpp refuses the file, with its reason; AbortedError
 */
export async function openModel(
  path: string,
  options: RunOptions = {},
  ownRuntime?: Runtime,
): Promise<Model> {
  const { signal } = options;
  const [runtime, file] = await Promise.all([
    ownRuntime ?? openRuntime(options.gpu, options.rpc, options.onNotice),
    readRunnable(path, signal),
  ]);
  const bytes = file.sizes.reduce((sum, size) => sum + size, 0);
  const memory = budgetMemory(bytes, await availableMemory(), options.maxMemory);
  const width = cacheWidth(file);
  const gpuLayers =
    options.gpuLayers ??
    (runtime.device === "cpu" ? 0 : fittingGpuLayers(file, await runtime.freeGpuMemory()));
  const call: Call = (name, args, given) => runtime.call(path, name, args, { signal, ...given });
  const handle = runtime.newHandle();
  const { repack } = memory;
  // The machine is watched while the model is loaded.
  const choosing = chooseThreads(runtime, options.threads);
  // Where loading ends the process, that is what is told.
  choosing.catch(() => {});
  const info = await call("loadModel", [handle, path, { gpuLayers, repack }]);
  const threads = await choosing;
  const cores = options.threads ?? physicalCores(runtime.mathCores);
  const workload = ({ sequenceLength, sequences }: Pick<SessionOptions, "sequenceLength" | "sequences">) => ({
    ...info,
    cacheWidth: width,
    sequenceLength,
    sequences,
    threads,
  });
  const open = (given: OpenOptions, callSession = call) => {
    checkSequenceLength(path, given.sequenceLength, info);
    return openSession(
      callSession,
      runtime.newHandle(),
      handle,
      info.layers / given.states.loops,
      given,
      path,
    );
  };
  return {
    info,
    runtime,
    repacked: repack,
    tokenize: (text) => call("tokenize", [handle, text, false]),
    async chatPrompt(question) {
      const prompt = await call("chatPrompt", [handle, question]);
      return prompt === null ? undefined : call("tokenize", [handle, prompt, true]);
    },
    text: (tokens) => call("text", [handle, tokens]),
    tokenBytes: () => call("tokenBytes", [handle]),
    openSession(given) {
      const needs = { ...workload(given), logits: info.vocabularySize, lanes: 1 };
      const { microBatch } = layOutLanes(needs, memory.work);
      return open({ threads, ...given, microBatch: microBatchOf(given, microBatch) });
    },
    openLanes(given) {
      const lanes = usefulLanes(runtime.device, cores, memory);
      const logits = given.scores ? info.vocabularySize : 0;
      // Lanes do not wait for each other, so that a busy machine costs them no more than their share of it.
      const layout = layOutLanes(
        { ...workload(given), logits, lanes, threads: Math.max(lanes, threads) },
        memory.work,
      );
      const microBatch = microBatchOf(given, layout.microBatch);
      const closing = new AbortController();
      const either = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
      const keptBytes = given.scores && given.independentBlocks ? Math.min(MOST_KEPT, layout.spare) : 0;
      const sessions = layout.threads.map((laneThreads) =>
        open({ ...given, microBatch, threads: laneThreads, keptBytes }, (name, args, options) =>
          call(name, args, { signal: either, ...options }),
        ),
      );
      return createLanes(sessions, microBatch, () => closing.abort());
    },
    openSums(features, targets) {
      const sums = runtime.newHandle();
      const opened = call("openSums", [sums, features, targets]).then(() => sums);
      opened.catch(() => {});
      return {
        opened,
        solve: async (ridge) => call("solve", [await opened, ridge, threads]),
        meanSquares: async () => call("meanSquares", [await opened]),
        close: () => release(call("closeSums", [sums], UNSTOPPED)),
      };
    },
    workBytes: memory.work,
    async quantize(type, values, rowLength, importance) {
      const parts: Uint8Array[] = [];
      const step = rowLength * Math.max(1, Math.floor(QUANTIZED_AT_ONCE / rowLength));
      for (let from = 0; from < values.length; from += step) {
        parts.push(await call("quantize", [type, values.slice(from, from + step), rowLength, importance]));
      }
      return Buffer.concat(parts);
    },
    dequantize: (type, bytes) => call("dequantize", [type, bytes]),
    async keepRepair({ map: values, ...repair }) {
      const map = runtime.newHandle();
      await call("keepMap", [map, values]);
      return { ...repair, map, close: () => release(call("dropMap", [map], UNSTOPPED)) };
    },
    close: () => release(call("closeModel", [handle], UNSTOPPED)),
  };
}

/** Compute threads that are asked for, or else as many as are useful now. */
export async function chooseThreads(runtime: Runtime, asked: number | undefined): Promise<number> {
  return asked ?? usefulThreads(runtime.mathCores, await runtime.idleProcessors());
}

/** @param fitting the largest that fits into memory */
function microBatchOf({ microBatch, sequenceLength, states }: SessionOptions, fitting: number): number {
  return states.wholeSequences ? sequenceLength : (microBatch ?? fitting);
}

/** Reads and checks a model's header, while llama.cpp is being loaded. */
async function readRunnable(path: string, signal: AbortSignal | undefined): Promise<GgufFile> {
  const file = await readGguf(path, { signal });
  checkPreconditions(file);
  return file;
}

/** @throws UsageError `SEQUENCE_TOO_LONG` for more tokens than the model was made for, which some cannot run at all */
function checkSequenceLength(path: string, length: number, { trainedContextLength }: ModelInfo): void {
  if (length <= trainedContextLength) return;
  throw new UsageError(
    "SEQUENCE_TOO_LONG",
    `Sequences of ${length} tokens are longer than the context of ${path}, which is ${trainedContextLength}; lower \`sequenceLength\`.`,
  );
}
