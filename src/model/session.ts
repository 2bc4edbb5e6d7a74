import type { StateTensors } from "../architecture/types.ts";
import type {
  LogitsPlace,
  NativeGap,
  NativeRepair,
  Timing,
  TokenScores,
  TopDistributions,
} from "../native/addon.ts";
import type { CallOptions } from "../process/start.ts";
import { RuntimeError } from "./errors.ts";
import type { Handle, HostCalls, HostChanges } from "./host-calls.ts";

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
  /** Attention in F32 throughout: slower and in more memory, for comparisons finer than f16's rounding of keys and values. */
  readonly exactAttention?: boolean | undefined;
  /**
   * Bytes for the block inputs of the sequence scored last, 0 by default: with them, scoring it again with other blocks
   * skipped starts at the first block that differs. Only for models whose blocks take nothing from earlier ones but the
   * state.
   */
  readonly keptBytes?: number | undefined;
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
  /** Maps added to blocks' outputs, in ascending order of blocks. */
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

/** A llama.cpp context: runs one sequence at a time. Every call stops within one micro-batch of the model's signal. */
export interface Session {
  /**
   * N×N sums over tokens of the cosines of the block inputs (row-major, above the diagonal), the mean of all loops.
   * @param first index of the first token that counts; 0 by default
   */
  sumCosines(tokens: Int32Array, first?: number): Promise<Float64Array>;
  /** Log-probabilities of tokens first … n−1, and how they differ from the base's. */
  score(tokens: Int32Array, options?: ScoreOptions): Promise<TokenScores>;
  /** Logits at every position, tokens × vocabulary. */
  logits(
    tokens: Int32Array,
    skip?: readonly number[],
    repairs?: readonly KeptRepair[],
  ): Promise<Float32Array>;
  /** The embedding of every token, tokens × width, of a model that embeds (`states.embeds`). */
  embeddings(tokens: Int32Array, skip?: readonly number[]): Promise<Float32Array>;
  /**
   * Continues prompts side by side, each by at most `length` tokens; the last one may be that by which the model ends.
   * @param options.seed of draws from what the model predicts (temperature 1); without one the likeliest token is taken
   */
  generate(
    prompts: readonly Int32Array[],
    length: number,
    options?: BlockChanges & { readonly seed?: number | undefined },
  ): Promise<readonly Int32Array[]>;
  /**
   * Seconds for the first `prompt` tokens run as a prompt, and for the others run one at a time.
   * @param everyLogit compute the logits of every token of the prompt, not of each micro-batch's last only
   */
  time(tokens: Int32Array, prompt: number, everyLogit?: boolean): Promise<Timing>;
  /** Euclidean norms of the block inputs in each loop, loops × blocks × tokens. */
  stateNorms(tokens: Int32Array): Promise<Float32Array>;
  /**
   * Adds to sums, for each token, how far the state before a gap of removed blocks is from what the original makes of it
   * after the gap.
   */
  gather(tokens: Int32Array, options: GatherOptions): Promise<void>;
  close(): void;
  /** @internal its handle, once it is open */
  readonly opened: Promise<Handle>;
}

/** A session whose sizes are decided. */
export type OpenOptions = SessionOptions & { readonly microBatch: number; readonly threads: number };

/** A call about the model's file. */
export type Call = <Name extends keyof HostCalls>(
  name: Name,
  args: Parameters<HostCalls[Name]>,
  options?: CallOptions,
) => Promise<ReturnType<HostCalls[Name]>>;

/** Closing is never stopped. */
export const UNSTOPPED: CallOptions = { signal: undefined };

/** What is closed in a process that has died is closed. */
export const release = (closed: Promise<void>) => void closed.catch(() => {});

/** @param callOpen calls about the model `model`, whose file is at `path` */
export function openSession(
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
    throw noNumbers(path, await stateNorms(tokens), layers, options.states);
  };
  /** Why work on a sequence failed: where the whole model computes NaN, by the block where that begins. */
  const reasonOf = async (error: unknown, tokens: Int32Array, otherwise: string): Promise<unknown> => {
    if (!(error instanceof RuntimeError && error.code === "RUNTIME_NAN")) return error;
    const norms = await stateNorms(tokens);
    if (norms.some(Number.isNaN)) return noNumbers(path, norms, layers, options.states);
    return new RuntimeError("RUNTIME_NAN", otherwise, { cause: error });
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
          ...toNative(changes),
          base: await base?.session.opened,
          baseChanges: base && toNative(base),
          file,
          keepTop,
          baseTop,
        },
      ]);
      const { skip = [], repairs = [] } = changes;
      // What is computed with blocks changed says nothing against the model; whoever changed them judges it.
      const isWhole = skip.length === 0 && repairs.length === 0;
      // The last token is predicted, never fed, and how many are fed decides how attention sums (ggml's ops.cpp).
      return isWhole && scores.logProb.some(Number.isNaN) ? refuseNaN(tokens.subarray(0, -1)) : scores;
    },
    logits: (tokens, skip, repairs) => call("logits", [handle, tokens, toNative({ skip, repairs })]),
    embeddings: (tokens, skip) => call("embeddings", [handle, tokens, toNative({ skip })]),
    generate: async (prompts, length, { seed, ...changes } = {}) => {
      try {
        return await call("generate", [handle, prompts, length, seed, toNative(changes)]);
      } catch (error) {
        throw await reasonOf(
          error,
          prompts[0] ?? Int32Array.of(),
          `${path} computes no numbers (NaN)${without(changes)} as it goes on with a prompt: its weights are damaged, or too large for llama.cpp; download or convert it again.`,
        );
      }
    },
    time: (tokens, prompt, everyLogit = false) => call("time", [handle, tokens, prompt, everyLogit]),
    stateNorms,
    gather: async (tokens, { original, product, normalized, before, last, weight, epsilon, ...changes }) => {
      const options = {
        ...toNative(changes),
        before,
        last,
        weight,
        epsilon,
        original: await original?.opened,
        product: await product?.opened,
        normalized: await normalized?.opened,
      };
      try {
        await call("gather", [handle, tokens, options]);
      } catch (error) {
        throw await reasonOf(
          error,
          tokens,
          `${path} computes no numbers (NaN)${without(changes)}, so nothing can make up for them; choose other layers, or use \`repair: "off"\`.`,
        );
      }
    },
    close: () => release(callOpen("closeSession", [handle], UNSTOPPED)),
  };
}

/** Which layers a sentence says are left out. */
function without({ skip = [] }: BlockChanges): string {
  return skip.length === 0 ? "" : ` without the layers ${skip.join(", ")}`;
}

/** @param norms of the blocks' inputs, in each loop, layers × tokens */
function noNumbers(path: string, norms: Float32Array, layers: number, { loops }: StateTensors): RuntimeError {
  const first = Math.floor(norms.findIndex(Number.isNaN) / (norms.length / (loops * layers)));
  const where =
    first < 0
      ? `in layer ${layers - 1} or behind it`
      : first === 0
        ? "from its embeddings on"
        : `from layer ${(first - 1) % layers} on`;
  return new RuntimeError(
    "RUNTIME_NAN",
    `${path} computes no numbers (NaN) ${where}, so nothing can be measured: its weights are damaged, or too large for llama.cpp; download or convert it again.`,
  );
}

function toNative({ skip = [], repairs = [] }: BlockChanges): HostChanges {
  return {
    skip: Int32Array.from(skip),
    repairs: repairs.map(({ block, weight, epsilon, map }) => ({ block, weight, epsilon, map })),
  };
}
