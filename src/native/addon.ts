import type { StateTensors } from "../architecture/types.ts";
import { loadAddon } from "./addon-file.ts";

/**
 * The C++ addon's surface, as small as it can be (native/border/addon.cpp); src/model gives llama.cpp's part a friendly
 * face. Wherever a `control` is asked for, the promise rejects with code ABORTED once it has been stopped.
 */
export interface Addon {
  /** The llama.cpp release whose headers it was compiled with. */
  readonly release: string;
  /**
   * Finds llama.cpp of that release in this process, whatever its files are called, and fills the function table.
   * @throws if there is none, or naming another release or the first function that is missing
   */
  attach(): void;
  /**
   * Lets each GPU compute something small; llama.cpp ends the process where one cannot.
   * @throws naming a GPU that computes something wrong
   */
  checkGpus(control: NativeControl): Promise<void>;
  /**
   * Makes the devices of llama.cpp's RPC servers devices of this process.
   * @param library path of the RPC backend
   * @param endpoints `host:port`
   */
  addRpcServers(library: string, endpoints: readonly string[], control: NativeControl): Promise<void>;
  /**
   * Spectral clustering of an n×n similarity matrix (row-major) into k clusters; the Laplacian and k-means of LoRP.
   * @returns n labels, numbered by first layer
   */
  spectralClusters(similarity: Float64Array, n: number, k: number, seed: number): Int32Array;
  /**
   * Lets the kernel move bytes from one file descriptor to another, sharing blocks where the file system can.
   * @returns how many bytes from the range's start are moved; fewer than all where the kernel cannot do it
   */
  copyFileRange(
    source: number,
    from: number,
    target: number,
    to: number,
    length: number,
    control: NativeControl,
  ): Promise<number>;
  /**
   * llama.cpp's own quantisation of rows of floats to a ggml type.
   * @param importance of each column; all alike by default
   * @throws where it has none (integers, Q8_1, Q8_K)
   */
  quantize(type: number, values: Float32Array, rowLength: number, importance?: Float32Array): Uint8Array;
  /** llama.cpp's own reading of whole blocks of a ggml type. @throws where it has none (Q8_1, Q8_K) */
  dequantize(type: number, bytes: Uint8Array): Float32Array;
  /**
   * llama_model_quantize from one file to another, one at a time in a process; it cannot be stopped.
   * @throws with llama.cpp's reason
   */
  quantizeFile(
    input: string,
    output: string,
    options: NativeQuantizeOptions,
    control: NativeControl,
  ): Promise<void>;
  readonly Control: new () => NativeControl;
  readonly Model: new () => NativeModel;
  readonly Session: new (model: NativeModel, options: NativeSessionOptions) => NativeSession;
  /** Sums of a least-squares problem: one target vector for each feature vector (native/core/normal_equations.h). */
  readonly NormalEquations: new (
    features: number,
    targets: number,
  ) => NativeNormalEquations;
}

export interface NativeNormalEquations {
  /**
   * The map, targets × features, that minimises the squared error + λ its squared size.
   * @param ridge λ relative to the mean of the features' summed squares
   */
  solve(ridge: number, threads: number, control: NativeControl): Promise<Float32Array>;
  /** Mean of each feature's square. */
  meanSquares(): Float32Array;
  close(): void;
}

/** How llama_model_quantize makes a file. */
export interface NativeQuantizeOptions {
  /** Number of enum llama_ftype. */
  readonly type: number;
  readonly threads: number;
  readonly allowRequantize: boolean;
  /** One value for each column of a matrix, of each expert's. */
  readonly importance: readonly { readonly tensor: string; readonly values: Float32Array }[];
  /** Numbers of enum ggml_type for tensors in whose name a regular expression is found. */
  readonly tensorTypes: readonly { readonly pattern: string; readonly type: number }[];
  readonly metadata: readonly NativeMetadata[];
}

/** Metadata to set in an output; strings of at most 127 bytes. */
export interface NativeMetadata {
  readonly key: string;
  readonly value: string | number;
}

/** What native work on other threads is stopped by, and what it reports to. */
export interface NativeControl {
  stop(): void;
  /** 0…1 */
  progress(): number;
}

export interface NativeModel {
  /** @param options `repack`: keep the CPU's weights as a rearranged copy, faster for some types */
  load(path: string, options: { gpuLayers: number; repack: boolean }, control: NativeControl): Promise<void>;
  info(): ModelInfo;
  /** Bytes of text that each token of the vocabulary stands for. */
  tokenBytes(): Int32Array;
  /** A question in the model's chat format (llama_chat_apply_template); null without one that llama.cpp knows. */
  chatPrompt(question: string): string | null;
  /** The text of tokens, special ones left out; bytes that are no UTF-8 replaced. */
  text(tokens: Int32Array): string;
  tokenize(
    text: string,
    addSpecial: boolean,
    parseSpecial: boolean,
    control: NativeControl,
  ): Promise<Int32Array>;
  close(): void;
}

export interface ModelInfo {
  /** Blocks that run (trailing multi-token-prediction blocks not counted), each as often as it is run. */
  readonly layers: number;
  readonly embeddingLength: number;
  readonly vocabularySize: number;
  readonly trainedContextLength: number;
  readonly parameters: number;
  /** The token that llama.cpp puts before a text; −1 for a model that wants none. */
  readonly bos: number;
}

export interface NativeSessionOptions {
  /** Longest sequence, tokens. */
  readonly contextLength: number;
  /** Sequences that are generated side by side, each as long. */
  readonly sequences: number;
  /** Tokens of one micro-batch. */
  readonly microBatch: number;
  readonly threads: number;
  /** Blocks that run. */
  readonly blocks: number;
  /** Where the states between blocks are in llama.cpp's graph (src/architecture). */
  readonly states: Omit<StateTensors, "emptyBlocks" | "wholeSequences"> & {
    readonly emptyBlocks: Int32Array;
  };
  /** Attention in F32 throughout, without flash attention. */
  readonly exactAttention: boolean;
  /** Bytes for the block inputs of the sequence scored last, from which the next score of it may start. */
  readonly keptBytes: number;
}

/** What is done to blocks while the model runs. */
export interface NativeChanges {
  /** Blocks made the identity. */
  readonly skip: Int32Array;
  /** Linear maps added to blocks' outputs. */
  readonly repairs?: readonly NativeRepair[] | undefined;
}

/** Removed blocks that stand together, as a session gathers what they did. */
export interface NativeGap {
  /** The kept block before them. */
  readonly before: number;
  readonly last: number;
  /** Of the block before, as in a NativeRepair; empty: none. */
  readonly weight: string;
  readonly epsilon: number;
}

/** block's output += map · features */
export interface NativeRepair {
  readonly block: number;
  /** The features are the input of this weight's product; if empty, the block's output divided by its RMS. */
  readonly weight: string;
  /** Of the RMS. */
  readonly epsilon: number;
  /** embedding × features */
  readonly map: Float32Array;
}

export interface NativeSession {
  /** Makes the context; called first, once. */
  open(control: NativeControl): Promise<void>;
  /** N×N sums over the tokens from `first` on of the cosines of the block inputs, the mean of all loops; above the diagonal. */
  sumCosines(tokens: Int32Array, first: number, control: NativeControl): Promise<Float64Array>;
  score(
    tokens: Int32Array,
    options: NativeChanges & {
      first: number;
      base?: NativeSession | undefined;
      baseChanges?: NativeChanges | undefined;
      /** Without a base: a file to keep the logits of the scored tokens in, or the base's logits kept earlier. */
      file?: LogitsPlace | undefined;
      /** How many of the most probable tokens of each distribution to return as `top`; 0 for none. */
      keepTop: number;
      /** The base's distributions, kept earlier. */
      baseTop?: TopDistributions | undefined;
    },
    control: NativeControl,
  ): Promise<TokenScores>;
  /** tokens × vocabulary. */
  logits(tokens: Int32Array, changes: NativeChanges, control: NativeControl): Promise<Float32Array>;
  /** Of a model that embeds: tokens × width. */
  embeddings(tokens: Int32Array, changes: NativeChanges, control: NativeControl): Promise<Float32Array>;
  /**
   * Continuations of prompts, all side by side, each of at most `length` tokens.
   * @param seed of draws at temperature 1; without one what is likeliest
   */
  generate(
    prompts: readonly Int32Array[],
    length: number,
    seed: number | undefined,
    changes: NativeChanges,
    control: NativeControl,
  ): Promise<Int32Array[]>;
  /**
   * Runs the first `prompt` tokens as a prompt and the others one at a time.
   * @param everyLogit compute the logits of every token of the prompt, not of each micro-batch's last only
   */
  time(tokens: Int32Array, prompt: number, everyLogit: boolean, control: NativeControl): Promise<Timing>;
  /** Euclidean norms of the block inputs, loops × blocks × tokens. */
  stateNorms(tokens: Int32Array, control: NativeControl): Promise<Float32Array>;
  /**
   * Adds to sums, for each token of a sequence, the features before a gap of removed blocks and how far the original's
   * state after the gap is from the state before it.
   */
  gather(
    tokens: Int32Array,
    options: NativeChanges &
      NativeGap & {
        /** Runs the unchanged model; undefined where nothing before the gap is changed, and this session does both. */
        original?: NativeSession | undefined;
        /** With the input of the weight's product as features. */
        product?: NativeNormalEquations | undefined;
        /** With the block's output divided by its RMS as features. */
        normalized?: NativeNormalEquations | undefined;
      },
    control: NativeControl,
  ): Promise<void>;
  close(): void;
}

/** Rows of logits in a file that exists, 4 bytes × vocabulary each. */
export interface LogitsPlace {
  readonly path: string;
  /** Where the first row is, bytes. */
  readonly offset: number;
  /** Write rows, or else read them. */
  readonly append: boolean;
}

/** Seconds that a run took. */
export interface Timing {
  readonly prompt: number;
  readonly generation: number;
}

/**
 * What is kept of the distributions that predict some tokens: a row for each, of the `width` most probable tokens, the
 * most probable first. What is left counts as one more token, so that KL against them is a lower bound.
 */
export interface TopDistributions {
  readonly width: number;
  /** rows × width */
  readonly tokens: Int32Array;
  /** rows × width, natural logarithms. */
  readonly logProb: Float32Array;
}

/** One number for each scored token; empty what was not asked for. */
export interface TokenScores {
  /** Natural log-probability of the token given those before it. */
  readonly logProb: Float64Array;
  readonly baseLogProb: Float64Array;
  /** KL(base ‖ this), nats. */
  readonly kl: Float64Array;
  /** 1 where both put the most probability on the same token. */
  readonly sameTop: Uint8Array;
  /** With `keepTop`. */
  readonly top?: TopDistributions;
}

/** The compiled addon; loading it does not touch llama.cpp. */
export const addon = loadAddon() as Addon;
