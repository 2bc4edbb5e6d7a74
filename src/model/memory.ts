import { RuntimeError } from "./errors.ts";

/** What may be used of the memory that the machine has left, unless the user says how much. */
const DEFAULT_SHARE = 0.75;

/** What a rearranged copy of the weights may take of that. */
const REPACK_SHARE = 0.75;

/** Node's pool runs four native calls at a time. */
const MOST_LANES = 4;

/** Tokens of a micro-batch beyond which nothing gets faster: of each of several lanes, and of one that runs alone. */
const LANE_TOKENS = 128;
const ALONE_TOKENS = 512;

/** Fewer tokens than this a micro-batch waste more time than fewer lanes do. */
const FEW_TOKENS = 64;

/** How the memory beside the mapped model file is divided. */
export interface MemoryBudget {
  /** Whether the CPU's weights are a copy, rearranged for speed, instead of the mapped file. */
  readonly repack: boolean;
  /** Whether the model fits in memory at all; if not, every pass reads it from disk. */
  readonly resident: boolean;
  /** Bytes for contexts and hidden states. */
  readonly work: number;
}

/**
 * @param bytes of the model's files
 * @param available bytes of memory that can be had
 * @param maxMemory bytes for everything but the mapped model; 3/4 of the available memory by default
 */
export function budgetMemory(bytes: number, available: number, maxMemory: number | undefined): MemoryBudget {
  const total = maxMemory ?? DEFAULT_SHARE * available;
  const repack = bytes <= REPACK_SHARE * total;
  return { repack, resident: bytes <= available, work: repack ? total - bytes : total };
}

/** What a context must be able to run. */
export interface Workload {
  readonly layers: number;
  readonly embeddingLength: number;
  /** Numbers that the cache holds of one token, by `cacheWidth`. */
  readonly cacheWidth: number;
  readonly sequenceLength: number;
  /** Sequences in one context's cache; 1 by default. */
  readonly sequences?: number | undefined;
  /** Logits of every token: the size of the vocabulary; 0 where none are computed. */
  readonly logits: number;
  readonly threads: number;
  /** Contexts that could be of use at the same time. */
  readonly lanes: number;
}

/** How a workload runs: contexts side by side, each with threads and a micro-batch of its own. */
export interface Layout {
  /** Threads of each lane. */
  readonly threads: readonly number[];
  /** Tokens of a lane's micro-batch. */
  readonly microBatch: number;
  /** Bytes that are left for each lane. */
  readonly spare: number;
}

/**
 * Contexts that are of use at the same time. Several with a thread or two each are faster than one with all threads:
 * they never wait for each other. On a GPU, or where the model is read from disk in every pass, one is.
 */
export function usefulLanes(device: string, threads: number, { resident }: MemoryBudget): number {
  return device === "cpu" && resident ? Math.min(threads, MOST_LANES) : 1;
}

/**
 * The fastest layout that fits.
 * @param memory bytes
 * @throws RuntimeError `RUNTIME_MEMORY` where none does
 */
export function layOutLanes(workload: Workload, memory: number): Layout {
  const { lanes: wanted, threads, sequenceLength } = workload;
  const most = Math.min(sequenceLength, wanted > 1 ? LANE_TOKENS : ALONE_TOKENS);
  const few = Math.min(most, FEW_TOKENS);
  const candidates = [
    ...halvings(most, few).map((microBatch) => ({ lanes: wanted, microBatch })),
    ...halvings(wanted, 1).map((lanes) => ({ lanes, microBatch: few })),
    ...halvings(few, 1).map((microBatch) => ({ lanes: 1, microBatch })),
  ];
  const need = ({ lanes, microBatch }: { lanes: number; microBatch: number }) =>
    lanes * contextBytes(workload, microBatch);
  const fitting = candidates.find((candidate) => need(candidate) <= memory);
  if (!fitting) {
    const least = Math.ceil(Math.min(...candidates.map(need)) / 1e6);
    throw new RuntimeError(
      "RUNTIME_MEMORY",
      `Sequences of ${sequenceLength} tokens need ${least} MB of memory beside the model, but ${Math.floor(memory / 1e6)} MB may be used: lower \`sequenceLength\`, or raise \`maxMemory\`.`,
    );
  }
  return {
    threads: Array.from({ length: fitting.lanes }, (_, lane) => Math.floor((threads + lane) / fitting.lanes)),
    microBatch: fitting.microBatch,
    spare: Math.floor((memory - need(fitting)) / fitting.lanes),
  };
}

/** Bytes of one context at work, from above. */
function contextBytes(
  { layers, embeddingLength, cacheWidth, sequenceLength, sequences = 1, logits }: Workload,
  microBatch: number,
): number {
  const row = embeddingLength * Float32Array.BYTES_PER_ELEMENT;
  const states = layers * microBatch * row;
  // Keys and values in half precision.
  const cache = cacheWidth * sequences * sequenceLength * 2;
  // What a block has in flight: the stream, its norm, queries, and a feed-forward of several times the width.
  const activations = 24 * microBatch * row;
  return states + cache + activations + 2 * microBatch * logits * Float32Array.BYTES_PER_ELEMENT;
}

/** high, high/2, … down to low, whole numbers. */
function halvings(high: number, low: number): number[] {
  const values = [];
  for (let value = high; value >= low; value = Math.floor(value / 2)) values.push(value);
  return values;
}
