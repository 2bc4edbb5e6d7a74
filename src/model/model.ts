import { addon, type ModelInfo, type NativeModel, type NativeSession, type TokenScores } from "../native.ts";
import { withControl } from "./control.ts";
import { RuntimeError } from "./errors.ts";
import { type GpuChoice, openRuntime, type Runtime } from "./runtime.ts";

export interface RunOptions {
  readonly gpu?: GpuChoice | undefined;
  /** Layers kept in GPU memory; all by default where there is a GPU. */
  readonly gpuLayers?: number | undefined;
  /** Compute threads; the machine's cores by default. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SessionOptions {
  /** Longest sequence, tokens. */
  readonly sequenceLength: number;
  /** Tokens of one micro-batch; as long as the sequence, at most 512, by default. */
  readonly microBatch?: number | undefined;
  /** Name of the block output tensors in llama.cpp's graph, from src/architecture. */
  readonly blockOutput: string;
}

/** A model held open by llama.cpp. Close it, and its sessions, when done. */
export interface Model {
  readonly info: ModelInfo;
  readonly runtime: Runtime;
  /** The whole text as tokens, without special tokens, markup in it taken as text. */
  tokenize(text: string): Promise<Int32Array>;
  openSession(options: SessionOptions): Session;
  close(): void;
}

export interface ScoreOptions {
  /** Index of the first token scored, ≥ 1; 1 by default. */
  readonly first?: number | undefined;
  /** Blocks made the identity. */
  readonly skip?: readonly number[] | undefined;
  /** Another session to compare distributions with, token by token, and the blocks skipped there. */
  readonly base?: { readonly session: Session; readonly skip?: readonly number[] | undefined } | undefined;
}

/** A llama.cpp context: runs one sequence at a time. Every call stops within one micro-batch of the model's signal. */
export interface Session {
  /** N×N sums over tokens of the cosines of the block inputs (row-major, above the diagonal). */
  sumCosines(tokens: Int32Array): Promise<Float64Array>;
  /** Log-probabilities of tokens first … n−1, and how they differ from the base's. */
  score(tokens: Int32Array, options?: ScoreOptions): Promise<TokenScores>;
  /** Logits at every position, tokens × vocabulary. */
  logits(tokens: Int32Array, skip?: readonly number[]): Promise<Float32Array>;
  close(): void;
  /** @internal */
  readonly native: NativeSession;
}

/**
 * Loads a model (memory-mapped; the first part of a split one).
 * @throws RuntimeError when llama.cpp refuses the file, with its reason; AbortedError
 */
export async function openModel(path: string, options: RunOptions = {}): Promise<Model> {
  const runtime = await openRuntime(options.gpu);
  const { signal } = options;
  const native = new addon.Model();
  const gpuLayers = options.gpuLayers ?? (runtime.device === "cpu" ? 0 : -1);
  await runtime.takeComplaint();
  try {
    await withControl(signal, (control) => native.load(path, { gpuLayers }, control));
  } catch (error) {
    throw await explain(error, runtime, `llama.cpp cannot load ${path}`);
  }
  const threads = options.threads ?? runtime.mathCores;
  return {
    info: native.info(),
    runtime,
    tokenize: (text) => withControl(signal, (control) => native.tokenize(text, false, false, control)),
    openSession: (sessionOptions) => openSession(native, sessionOptions, threads, signal),
    close: () => native.close(),
  };
}

function openSession(
  model: NativeModel,
  options: SessionOptions,
  threads: number,
  signal: AbortSignal | undefined,
): Session {
  const native = new addon.Session(model, {
    contextLength: options.sequenceLength,
    microBatch: options.microBatch ?? Math.min(options.sequenceLength, 512),
    threads,
    blocks: model.info().layers,
    blockOutput: options.blockOutput,
  });
  return {
    native,
    sumCosines: (tokens) => withControl(signal, (control) => native.sumCosines(tokens, control)),
    score: (tokens, { first = 1, skip = [], base } = {}) =>
      withControl(signal, (control) =>
        native.score(
          tokens,
          {
            first,
            skip: Int32Array.from(skip),
            base: base?.session.native,
            baseSkip: base && Int32Array.from(base.skip ?? []),
          },
          control,
        ),
      ),
    logits: (tokens, skip = []) =>
      withControl(signal, (control) => native.logits(tokens, Int32Array.from(skip), control)),
    close: () => native.close(),
  };
}

/** Adds what llama.cpp itself logged to an error that it caused. */
async function explain(error: unknown, runtime: Runtime, what: string): Promise<unknown> {
  if (!(error instanceof Error) || "code" in error) return error;
  const complaint = (await runtime.takeComplaint()) ?? error.message;
  return new RuntimeError("RUNTIME_MODEL", `${what}: ${complaint}.`, { cause: error });
}
