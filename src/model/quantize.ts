import { availableParallelism } from "node:os";
import { AbortedError, throwIfAborted, UsageError } from "../errors.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import { readGguf } from "../gguf/read.ts";
import type { GgufFile } from "../gguf/types.ts";
import type { ImportanceMatrix } from "../imatrix/types.ts";
import type { NativeMetadata } from "../native/addon.ts";
import { didYouMean } from "../nearest.ts";
import { RuntimeError } from "./errors.ts";
import { LARGEST_QUANTIZED, UNBOUNDED_TYPES } from "./magnitude.ts";
import type { RunOptions } from "./model.ts";
import { type Runtime, startRuntime } from "./runtime.ts";
import { NOT_FOR_WEIGHTS } from "./tensor-types.ts";

/** The file types that llama.cpp makes, by the names that its llama-quantize gives them (enum llama_ftype). */
export const QUANTIZATION_TYPES: ReadonlyMap<string, number> = new Map([
  ["F32", 0],
  ["F16", 1],
  ["BF16", 32],
  ["Q8_0", 7],
  ["Q6_K", 18],
  ["Q5_K_M", 17],
  ["Q5_K_S", 16],
  ["Q5_1", 9],
  ["Q5_0", 8],
  ["Q4_K_M", 15],
  ["Q4_K_S", 14],
  ["IQ4_XS", 30],
  ["IQ4_NL", 25],
  ["Q4_1", 3],
  ["Q4_0", 2],
  ["Q3_K_L", 13],
  ["Q3_K_M", 12],
  ["Q3_K_S", 11],
  ["IQ3_M", 27],
  ["IQ3_S", 26],
  ["IQ3_XS", 22],
  ["IQ3_XXS", 23],
  ["Q2_K", 10],
  ["Q2_K_S", 21],
  ["IQ2_M", 29],
  ["IQ2_S", 28],
  ["IQ2_XS", 20],
  ["IQ2_XXS", 19],
  ["IQ1_M", 31],
  ["IQ1_S", 24],
  ["MXFP4_MOE", 38],
]);

/** Those that llama.cpp makes with an importance matrix only. */
const NEED_IMATRIX = new Set([
  "IQ3_XS",
  "IQ3_XXS",
  "Q2_K_S",
  "IQ2_M",
  "IQ2_S",
  "IQ2_XS",
  "IQ2_XXS",
  "IQ1_M",
  "IQ1_S",
]);

/** Spellings that llama-quantize takes too. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["Q3_K", "Q3_K_M"],
  ["Q4_K", "Q4_K_M"],
  ["Q5_K", "Q5_K_M"],
]);

export interface QuantizeOptions extends Pick<RunOptions, "gpu" | "rpc" | "threads" | "signal"> {
  /** Quantise tensors that are quantised already once more; they lose twice. */
  readonly allowRequantize?: boolean | undefined;
  readonly imatrix?: ImportanceMatrix | undefined;
  /** ggml's numbers of the types of single tensors, by name. */
  readonly tensorTypes?: ReadonlyMap<string, number> | undefined;
  /** What messages call the input and its tensors, where the input is made of a file that the user knows. */
  readonly known?: { readonly path: string; tensor(name: string): string } | undefined;
  /** 0…1 while it runs. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * The name of a type as llama-quantize spells it, from any case and alias.
 * @param withImatrix whether there is an importance matrix
 * @throws UsageError `QUANTIZE_TYPE`
 */
export function quantizationType(name: string, withImatrix: boolean): string {
  const upper = name.toUpperCase();
  const type = ALIASES.get(upper) ?? upper;
  const isPossible = (each: string) => withImatrix || !NEED_IMATRIX.has(each);
  if (QUANTIZATION_TYPES.has(type) && isPossible(type)) return type;
  const choices = [...QUANTIZATION_TYPES.keys()].filter(isPossible).join(", ");
  throw new UsageError(
    "QUANTIZE_TYPE",
    QUANTIZATION_TYPES.has(type)
      ? `${type} needs an importance matrix; give one with \`imatrix\`, or choose one of ${choices}.`
      : `"${name}" is no type that a model can be quantised to; choose one of ${choices}.${didYouMean(name, QUANTIZATION_TYPES.keys())}`,
  );
}

/** Metadata by which llama-quantize says what importance matrix it used; llama.cpp takes 127 bytes of a string. */
function imatrixMetadata({ path, datasets, chunks, values }: ImportanceMatrix): NativeMetadata[] {
  const [dataset] = datasets;
  return [
    { key: "quantize.imatrix.file", value: shortened(path) },
    ...(dataset === undefined ? [] : [{ key: "quantize.imatrix.dataset", value: shortened(dataset) }]),
    { key: "quantize.imatrix.entries_count", value: values.size },
    ...(chunks > 0 ? [{ key: "quantize.imatrix.chunks_count", value: chunks }] : []),
  ];
}

/** As much of a text as fits into 127 bytes, without half a character at its end. */
function shortened(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, 127), { stream: true });
}

/** A regular expression that is found in this name alone. */
const exactly = (name: string) => `^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`;

/**
 * Quantises a model file with llama_model_quantize, in a process of its own, since llama.cpp cannot be stopped meanwhile:
 * the process is ended. `output` is written in place, and left in any state when this fails (src/surgery/quantize.ts
 * writes it safely).
 * @throws UsageError `QUANTIZE_TYPE`; RuntimeError `QUANTIZE_AGAIN`, `QUANTIZE_FAILED`, `RUNTIME_CRASHED`; AbortedError
 */
export async function quantizeFile(
  input: string,
  output: string,
  name: string,
  {
    gpu,
    rpc,
    threads = availableParallelism(),
    allowRequantize = false,
    imatrix,
    tensorTypes = new Map<string, number>(),
    known = { path: input, tensor: (tensor) => tensor },
    signal,
    onProgress,
  }: QuantizeOptions = {},
): Promise<void> {
  throwIfAborted(signal);
  const options = {
    type: QUANTIZATION_TYPES.get(quantizationType(name, imatrix !== undefined))!,
    threads,
    allowRequantize,
    importance: [...(imatrix?.values ?? [])].map(([tensor, values]) => ({ tensor, values })),
    tensorTypes: [...tensorTypes].map(([tensor, type]) => ({ pattern: exactly(tensor), type })),
    metadata: imatrix ? imatrixMetadata(imatrix) : [],
  };
  const file = await readGguf(input, { signal });
  const runtime = await startRuntime(gpu, rpc);
  const stop = () => void runtime.end();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    if (!UNBOUNDED_TYPES.has(name)) await checkMagnitudes(file, runtime, known, name);
    await runtime.call(known.path, "quantizeFile", [input, output, options], {
      onProgress: (fraction) => onProgress?.(Number(fraction)),
    });
  } catch (error) {
    throw signal?.aborted ? new AbortedError() : explain(error, known, name);
  } finally {
    signal?.removeEventListener("abort", stop);
    await runtime.end();
  }
}

/** @throws RuntimeError `QUANTIZE_FAILED` for a matrix with values that quantised ones cannot be near */
async function checkMagnitudes(
  { tensors, paths }: GgufFile,
  runtime: Runtime,
  known: NonNullable<QuantizeOptions["known"]>,
  quantization: string,
): Promise<void> {
  for (const { name, shape, type, typeName, file, fileOffset: offset, byteLength } of tensors) {
    // Those of types that are unknown here llama.cpp refuses.
    const isSmall = typeName === "F16" || NOT_FOR_WEIGHTS.has(typeName);
    if (isSmall || !GGML_TYPES.has(type) || shape.length < 2 || !name.endsWith("weight")) continue;
    const values = { path: paths[file]!, offset, byteLength, type };
    const largest = await runtime.call(known.path, "largestStored", [values]);
    if (largest <= LARGEST_QUANTIZED) continue;
    throw new RuntimeError(
      "QUANTIZE_FAILED",
      `llama.cpp cannot quantise ${known.path} to ${quantization}: the values of '${known.tensor(name)}' go up to ${largest.toPrecision(3)}, and quantised ones only to ${LARGEST_QUANTIZED}; its weights are damaged: download or convert it again.`,
    );
  }
}

function explain(error: unknown, known: NonNullable<QuantizeOptions["known"]>, type: string): unknown {
  if (!(error instanceof RuntimeError) || error.code !== "RUNTIME_MODEL") return error;
  const said = error.cause instanceof Error ? error.cause.message : error.message;
  const reason = said
    .replace(/'([^']+)'/g, (_, name: string) => `'${known.tensor(name)}'`)
    .replace(/has invalid data$/, "has invalid data (NaN or infinity)");
  if (/requantizing from type (\S+) is disabled/.test(reason)) {
    return quantizedAlready(known.path, type, { cause: error });
  }
  return new RuntimeError(
    "QUANTIZE_FAILED",
    `llama.cpp cannot quantise ${known.path} to ${type}: ${reason}.`,
    {
      cause: error,
    },
  );
}

/** What is said of a file that would be quantised twice. */
export function quantizedAlready(input: string, type: string, options?: ErrorOptions): RuntimeError {
  return new RuntimeError(
    "QUANTIZE_AGAIN",
    `${input} is quantised already, and quantising it again to ${type} would lose twice; begin with an F16, BF16 or F32 file, or allow it with \`allowRequantize\`.`,
    options,
  );
}
