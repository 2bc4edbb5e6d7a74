import { checkPreconditions } from "../architecture/preconditions.ts";
import type { StateTensors } from "../architecture/types.ts";
import type { BlockFactors } from "../documents/compensation.ts";
import { UsageError } from "../errors.ts";
import { readGguf } from "../gguf/read.ts";
import type { GgufFile } from "../gguf/types.ts";
import type {
  LogitsPlace,
  ModelInfo,
  NativeGap,
  NativeRepair,
  Timing,
  TokenScores,
  TopDistributions,
} from "../native/addon.ts";
import type { CallOptions } from "../process/start.ts";
import { availableMemory } from "./available-memory.ts";
import { cacheWidth } from "./cache-width.ts";
import { RuntimeError } from "./errors.ts";
import type { GpuChoice } from "./gpu.ts";
import { fittingGpuLayers } from "./gpu-layers.ts";
import type { Handle, HostCalls, HostChanges } from "./host-calls.ts";
import { createLanes, type Lanes } from "./lanes.ts";
import { budgetMemory, layOut, usefulLanes } from "./memory.ts";
import { openRuntime, type Runtime } from "./runtime.ts";
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

export interface SessionOptions {
  /** Longest sequence, tokens. */
  readonly sequenceLength: number;
  /** Sequences that are generated side by side, each as long; 1 by default. */
  readonly sequences?: number | undefined;
  /** Tokens of one micro-batch; as long as the sequence, at most 512 or what fits in memory, by default. */
  readonly microBatch?: number | undefined;
  /** Compute threads; the model's by default. */
  readonly threads?: number;
  /** Where the states between blocks are in llama.cpp's graph, from src/architecture. */
  readonly states: StateTensors;
  /** Whether blocks add attention and feed-forward to the same state; needed only where factors are used. */
  readonly parallelBlocks?: boolean | undefined;
  /** Attention in F32 throughout: slower and in more memory, for comparisons finer than f16's rounding of keys and values. */
  readonly exactAttention?: boolean | undefined;
  /**
   * Bytes for the block inputs of the sequence scored last, 0 by default: with them, scoring it again with other blocks
   * skipped starts at the first block that differs. Only for models whose blocks take nothing from earlier ones but the
   * state.
   */
  readonly keptBytes?: number | undefined;
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
  /** Holds a map where the model runs, so that it is sent there once. */
  keepRepair(repair: NativeRepair): Promise<KeptRepair>;
  close(): void;
}

/** Sums of a least-squares problem with a vector of features and one of targets a token; a ridge solves it. */
export interface Sums {
  /**
   * The map, targets × features.
   * @param ridge λ relative to the mean of the features' summed squares
   */
  solve(ridge: number): Promise<Float32Array>;
  /** Mean of each feature's square. */
  meanSquares(): Promise<Float32Array>;
  close(): void;
  /** @internal its handle, once it is open */
  readonly opened: Promise<Handle>;
}

/** A linear map that is added to a block's output while the model runs. */
export interface KeptRepair extends Omit<NativeRepair, "map"> {
  /** @internal */
  readonly map: Handle;
  close(): void;
}

/** What is done to blocks while the model runs. */
export interface BlockChanges {
  /** Blocks made the identity. */
  readonly skip?: readonly number[] | undefined;
  /** Of the blocks whose outputs are scaled. */
  readonly factors?: readonly BlockFactors[] | undefined;
  /** Maps added to blocks' outputs, in ascending order of blocks; not beside factors. */
  readonly repairs?: readonly KeptRepair[] | undefined;
}

/** Removed blocks that stand together, and where what they did is gathered. */
export interface GatherOptions extends BlockChanges, NativeGap {
  /** Runs the original model side by side; needed where anything before the gap is changed. */
  readonly original?: Session | undefined;
  /** Sums whose features are the input of the weight's product in the block before. */
  readonly product?: Sums | undefined;
  /** Sums whose features are the block's output divided by its RMS. */
  readonly normalized?: Sums | undefined;
}

export interface ScoreOptions extends BlockChanges {
  /** Index of the first token scored, ≥ 1; 1 by default. */
  readonly first?: number | undefined;
  /** Another session to compare distributions with, token by token, and what is done to blocks there. */
  readonly base?: ({ readonly session: Session } & BlockChanges) | undefined;
  /** Without a base: a file to keep the logits of the scored tokens in, or the base's logits kept earlier. */
  readonly file?: LogitsPlace | undefined;
  /** How many of the most probable tokens of each distribution to return as `top`; none by default. */
  readonly keepTop?: number | undefined;
  /** Without a base: its distributions on these tokens, kept earlier. */
  readonly baseTop?: TopDistributions | undefined;
}

export interface FitOptions {
  /** Blocks made the identity. */
  readonly skip: readonly number[];
  /** How strongly factors are drawn towards 1: 0 not at all, 1 half way. */
  readonly ridge: number;
  /** Runs the original model, side by side. */
  readonly original: Session;
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** A llama.cpp context: runs one sequence at a time. Every call stops within one micro-batch of the model's signal. */
export interface Session {
  /**
   * N×N sums over tokens of the cosines of the block inputs (row-major, above the diagonal).
   * @param first index of the first token that counts; 0 by default
   */
  sumCosines(tokens: Int32Array, first?: number): Promise<Float64Array>;
  /** Log-probabilities of tokens first … n−1, and how they differ from the base's. */
  score(tokens: Int32Array, options?: ScoreOptions): Promise<TokenScores>;
  /** Logits at every position, tokens × vocabulary. */
  logits(
    tokens: Int32Array,
    skip?: readonly number[],
    factors?: readonly BlockFactors[],
    repairs?: readonly KeptRepair[],
  ): Promise<Float32Array>;
  /**
   * Continues prompts greedily, side by side, each by at most `length` tokens; the last one may be that by which the
   * model ends.
   */
  generate(
    prompts: readonly Int32Array[],
    length: number,
    changes?: BlockChanges,
  ): Promise<readonly Int32Array[]>;
  /**
   * Seconds for the first `prompt` tokens run as a prompt, and for the others run one at a time.
   * @param everyLogit compute the logits of every token of the prompt, not of each micro-batch's last only
   */
  time(tokens: Int32Array, prompt: number, everyLogit?: boolean): Promise<Timing>;
  /** Euclidean norms of the block inputs, blocks × tokens. */
  stateNorms(tokens: Int32Array): Promise<Float32Array>;
  /**
   * Factors of the blocks after the first skipped one, fitted front to back so that the stream follows the original's.
   * @param sequences equally long
   */
  fitFactors(sequences: readonly Int32Array[], options: FitOptions): Promise<BlockFactors[]>;
  /**
   * Adds to sums, for each token, how far the state before a gap of removed blocks is from what the original makes of it
   * after the gap.
   */
  gather(tokens: Int32Array, options: GatherOptions): Promise<void>;
  close(): void;
  /** @internal its handle, once it is open */
  readonly opened: Promise<Handle>;
}

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
  const idling = runtime.idleProcessors();
  // Where loading ends the process, that is what is told.
  idling.catch(() => {});
  const info = await call("loadModel", [handle, path, { gpuLayers, repack }]);
  const idle = await idling;
  const cores = options.threads ?? physicalCores(runtime.mathCores);
  const threads = options.threads ?? usefulThreads(runtime.mathCores, idle);
  const workload = ({ sequenceLength }: { readonly sequenceLength: number }) => ({
    ...info,
    cacheWidth: width,
    sequenceLength,
    threads,
  });
  const open = (given: OpenOptions, callSession = call) => {
    checkSequenceLength(path, given.sequenceLength, info);
    return openSession(callSession, runtime.newHandle(), handle, info.layers, given, path);
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
      const { microBatch } = layOut(needs, memory.work);
      return open({ threads, ...given, microBatch: given.microBatch ?? microBatch });
    },
    openLanes(given) {
      const lanes = usefulLanes(runtime.device, cores, memory);
      const logits = given.scores ? info.vocabularySize : 0;
      // Lanes do not wait for each other, so that a busy machine costs them no more than their share of it.
      const layout = layOut(
        { ...workload(given), logits, lanes, threads: Math.max(lanes, threads) },
        memory.work,
      );
      const microBatch = given.microBatch ?? layout.microBatch;
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
    async keepRepair({ map: values, ...repair }) {
      const map = runtime.newHandle();
      await call("keepMap", [map, values]);
      return { ...repair, map, close: () => release(call("dropMap", [map], UNSTOPPED)) };
    },
    close: () => release(call("closeModel", [handle], UNSTOPPED)),
  };
}

/** Reads and checks a model's header, while llama.cpp is being loaded. */
async function readRunnable(path: string, signal: AbortSignal | undefined): Promise<GgufFile> {
  const file = await readGguf(path, { signal });
  checkPreconditions(file);
  return file;
}

type OpenOptions = SessionOptions & { readonly microBatch: number; readonly threads: number };

/** A call about the model's file. */
type Call = <Name extends keyof HostCalls>(
  name: Name,
  args: Parameters<HostCalls[Name]>,
  options?: CallOptions,
) => Promise<ReturnType<HostCalls[Name]>>;

const UNSTOPPED: CallOptions = { signal: undefined };

/** What is closed in a process that has died is closed. */
const release = (closed: Promise<void>) => void closed.catch(() => {});

function openSession(
  callOpen: Call,
  handle: Handle,
  model: Handle,
  layers: number,
  options: OpenOptions,
  path: string,
): Session {
  const opened = callOpen("openSession", [
    handle,
    model,
    {
      contextLength: options.sequenceLength,
      sequences: options.sequences ?? 1,
      microBatch: options.microBatch,
      threads: options.threads,
      blocks: layers,
      states: { ...options.states, emptyBlocks: Int32Array.from(options.states.emptyBlocks) },
      parallelBlocks: options.parallelBlocks ?? false,
      exactAttention: options.exactAttention ?? false,
      keptBytes: options.keptBytes ?? 0,
    },
  ]).then(() => handle);
  // Whoever uses the session is told.
  opened.catch(() => {});
  const call: Call = async (...all) => {
    await opened;
    return callOpen(...all);
  };
  const stateNorms = (tokens: Int32Array) => call("stateNorms", [handle, tokens]);
  const refuseNaN = async (tokens: Int32Array): Promise<never> => {
    throw noNumbers(path, firstWithoutNumbers(await stateNorms(tokens), layers));
  };
  return {
    opened,
    async sumCosines(tokens, first = 0) {
      const sums = await call("sumCosines", [handle, tokens, first]);
      return sums.some(Number.isNaN) ? refuseNaN(tokens) : sums;
    },
    score: async (tokens, { first = 1, base, file, keepTop = 0, baseTop, ...changes } = {}) => {
      const scores = await call("score", [
        handle,
        tokens,
        {
          first,
          ...toNative(changes, layers),
          base: await base?.session.opened,
          baseChanges: base && toNative(base, layers),
          file,
          keepTop,
          baseTop,
        },
      ]);
      const { skip = [], factors = [], repairs = [] } = changes;
      // What is computed with blocks changed says nothing against the model; whoever changed them judges it.
      const isWhole = skip.length === 0 && factors.length === 0 && repairs.length === 0;
      return isWhole && scores.logProb.some(Number.isNaN) ? refuseNaN(tokens) : scores;
    },
    logits: (tokens, skip, factors, repairs) =>
      call("logits", [handle, tokens, toNative({ skip, factors, repairs }, layers)]),
    generate: (prompts, length, changes = {}) =>
      call("generate", [handle, prompts, length, toNative(changes, layers)]),
    time: (tokens, prompt, everyLogit = false) => call("time", [handle, tokens, prompt, everyLogit]),
    stateNorms,
    fitFactors: async (sequences, { skip, ridge, original, onProgress }) => {
      const sequenceLength = sequences[0]?.length ?? 1;
      const tokens = new Int32Array(sequences.length * sequenceLength);
      for (const [i, sequence] of sequences.entries()) tokens.set(sequence, i * sequenceLength);
      const fit = { sequenceLength, skip: Int32Array.from(skip), ridge, original: await original.opened };
      const report = (fraction: unknown) => onProgress?.(Number(fraction));
      const pairs = await call("fitFactors", [handle, tokens, fit], { onProgress: report });
      return Array.from({ length: layers }, (_, layer) => ({
        layer,
        attention: pairs[2 * layer]!,
        feedForward: pairs[2 * layer + 1]!,
      })).filter(({ attention, feedForward }) => attention !== 1 || feedForward !== 1);
    },
    gather: async (tokens, { original, product, normalized, before, last, weight, epsilon, ...changes }) =>
      call("gather", [
        handle,
        tokens,
        {
          ...toNative(changes, layers),
          before,
          last,
          weight,
          epsilon,
          original: await original?.opened,
          product: await product?.opened,
          normalized: await normalized?.opened,
        },
      ]),
    close: () => release(callOpen("closeSession", [handle], UNSTOPPED)),
  };
}

/** @throws UsageError `SEQUENCE_TOO_LONG` for more tokens than the model was made for, which some cannot run at all */
function checkSequenceLength(path: string, length: number, { trainedContextLength }: ModelInfo): void {
  if (length <= trainedContextLength) return;
  throw new UsageError(
    "SEQUENCE_TOO_LONG",
    `Sequences of ${length} tokens are longer than the context of ${path}, which is ${trainedContextLength}; lower --sequence-length.`,
  );
}

/** The first block whose output has a NaN; the last one, or what follows it, where none of the inputs has. */
function firstWithoutNumbers(norms: Float32Array, layers: number): number {
  const input = Math.floor(norms.findIndex(Number.isNaN) / (norms.length / layers));
  return input < 0 ? layers - 1 : Math.max(input - 1, 0);
}

function noNumbers(path: string, block: number): RuntimeError {
  return new RuntimeError(
    "RUNTIME_NAN",
    `${path} computes no numbers (NaN) from block ${block} on, so nothing can be measured: its weights are damaged, or too large for llama.cpp; download or convert it again.`,
  );
}

function toNative({ skip = [], factors = [], repairs = [] }: BlockChanges, layers: number): HostChanges {
  const changes = {
    skip: Int32Array.from(skip),
    repairs: repairs.map(({ block, weight, epsilon, map }) => ({ block, weight, epsilon, map })),
  };
  if (factors.length === 0) return changes;
  const pairs = new Float64Array(2 * layers).fill(1);
  for (const { layer, attention, feedForward } of factors) pairs.set([attention, feedForward], 2 * layer);
  return { ...changes, factors: pairs };
}
