import type {
  LogitsPlace,
  ModelInfo,
  NativeChanges,
  NativeGap,
  NativeQuantizeOptions,
  NativeRepair,
  NativeSessionOptions,
  Timing,
  TokenScores,
  TopDistributions,
} from "../native/addon.ts";
import type { GpuChoice } from "./gpu.ts";
import type { Llama } from "./llama.ts";
import type { StoredValues } from "./magnitude.ts";

/** A model, a session, sums or a map in the process that runs llama.cpp, numbered by the one that asks for it. */
export type Handle = number;

export type LlamaFacts = Pick<Llama, "device" | "gpuNames" | "notice" | "mathCores" | "release">;

/** What the process that runs llama.cpp offers (host.ts): the addon's surface, objects named by handles. */
export interface HostCalls {
  /** Loads llama.cpp; called first, once. @throws RuntimeError */
  open(gpu: GpuChoice, rpc: readonly string[]): LlamaFacts;
  /** Lets each GPU compute something small. @throws where one computes something wrong; a crash where it cannot */
  checkGpus(): void;
  freeGpuMemory(): number;
  /** Processors that other processes leave idle. */
  idleProcessors(): number;
  /** Bytes of memory that the process has in use. */
  residentMemory(): number;
  loadModel(
    model: Handle,
    path: string,
    options: { readonly gpuLayers: number; readonly repack: boolean },
  ): ModelInfo;
  tokenBytes(model: Handle): Int32Array;
  chatPrompt(model: Handle, question: string): string | null;
  text(model: Handle, tokens: Int32Array): string;
  /** @param special whether markup in the text is taken as special tokens */
  tokenize(model: Handle, text: string, special: boolean): Int32Array;
  openSession(session: Handle, model: Handle, options: NativeSessionOptions): void;
  sumCosines(session: Handle, tokens: Int32Array, first: number): Float64Array;
  score(session: Handle, tokens: Int32Array, options: HostScoreOptions): TokenScores;
  logits(session: Handle, tokens: Int32Array, changes: HostChanges): Float32Array;
  embeddings(session: Handle, tokens: Int32Array, changes: HostChanges): Float32Array;
  generate(
    session: Handle,
    prompts: readonly Int32Array[],
    length: number,
    seed: number | undefined,
    changes: HostChanges,
  ): Int32Array[];
  time(session: Handle, tokens: Int32Array, prompt: number, everyLogit: boolean): Timing;
  stateNorms(session: Handle, tokens: Int32Array): Float32Array;
  openSums(sums: Handle, features: number, targets: number): void;
  gather(session: Handle, tokens: Int32Array, options: HostGatherOptions): void;
  solve(sums: Handle, ridge: number, threads: number): Float32Array;
  meanSquares(sums: Handle): Float32Array;
  keepMap(map: Handle, values: Float32Array): void;
  closeSums(sums: Handle): void;
  dropMap(map: Handle): void;
  closeModel(model: Handle): void;
  closeSession(session: Handle): void;
  quantize(type: number, values: Float32Array, rowLength: number, importance?: Float32Array): Uint8Array;
  dequantize(type: number, bytes: Uint8Array): Float32Array;
  largestStored(values: StoredValues): number;
  quantizeFile(input: string, output: string, options: NativeQuantizeOptions): void;
}

export interface HostChanges extends Omit<NativeChanges, "repairs"> {
  readonly repairs?: readonly (Omit<NativeRepair, "map"> & { readonly map: Handle })[] | undefined;
}

export interface HostGatherOptions extends HostChanges, NativeGap {
  readonly original?: Handle | undefined;
  readonly product?: Handle | undefined;
  readonly normalized?: Handle | undefined;
}

export interface HostScoreOptions extends HostChanges {
  readonly first: number;
  readonly base?: Handle | undefined;
  readonly baseChanges?: HostChanges | undefined;
  readonly file?: LogitsPlace | undefined;
  readonly keepTop: number;
  readonly baseTop?: TopDistributions | undefined;
}
