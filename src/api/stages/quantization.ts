import { checkPreconditions } from "../../architecture/preconditions.ts";
import { UsageError } from "../../errors.ts";
import type { GgufFile } from "../../gguf/types.ts";
import { checkImatrix, renameImatrix, renameKeys } from "../../imatrix/fit.ts";
import { readImatrix } from "../../imatrix/read.ts";
import type { ImportanceMatrix } from "../../imatrix/types.ts";
import { quantizationType, quantizedAlready } from "../../model/quantize.ts";
import { findTensorTypes } from "../../model/tensor-types.ts";
import type { DescribedModel } from "./describe.ts";
import type { WriteOptions } from "./options.ts";

/** How a model will be quantised; tensors are called as in the input. */
export interface Quantization {
  readonly type: string;
  readonly imatrix: ImportanceMatrix | undefined;
  readonly tensorTypes: ReadonlyMap<string, number>;
}

const FLOAT_TYPES = new Set(["F32", "F16", "BF16"]);

/** Whether any of a model's matrices is quantised. */
export function isQuantized({ tensors }: GgufFile): boolean {
  return tensors.some(({ shape, typeName }) => shape.length > 1 && !FLOAT_TYPES.has(typeName));
}

/**
 * Checks what `quantize` and the options beside it ask for, before any work is done.
 * @throws RuntimeError `QUANTIZE_AGAIN`; UsageError `QUANTIZE_TYPE`, `QUANTIZE_SPLIT`, `TENSOR_TYPE`, `OPTION_INVALID`;
 *   ImatrixError; ArchitectureError for what llama.cpp ends its process without
 */
export async function planQuantization(
  { file, architecture }: DescribedModel,
  options: WriteOptions,
): Promise<Quantization | undefined> {
  const {
    quantize,
    imatrix: imatrixPath,
    tensorType = [],
    allowRequantize,
    keepSplit,
    splitMaxSize,
  } = options;
  if (quantize === undefined) {
    if (imatrixPath === undefined && tensorType.length === 0) return undefined;
    throw new UsageError(
      "OPTION_INVALID",
      "An importance matrix and tensor types say how to quantise, so they need `quantize`: add it, or leave them out.",
    );
  }
  const type = quantizationType(quantize, imatrixPath !== undefined);
  if (!allowRequantize && isQuantized(file)) throw quantizedAlready(file.paths[0]!, type);
  if (keepSplit || splitMaxSize !== undefined) {
    throw new UsageError(
      "QUANTIZE_SPLIT",
      "A model is quantised into one file, so `quantize` goes with neither `keepSplit` nor `splitMaxSize`; leave them out.",
    );
  }
  if (tensorType.length > 0 && FLOAT_TYPES.has(type)) {
    throw new UsageError(
      "TENSOR_TYPE",
      `llama.cpp chooses types tensor by tensor only where it quantises, not for ${type}; leave out \`tensorType\`, or name another \`quantize\`.`,
    );
  }
  const imatrix = imatrixPath === undefined ? undefined : await readImatrix(imatrixPath, options.signal);
  checkPreconditions(file);
  if (imatrix) checkImatrix(imatrix, file, architecture.analysedBlocks);
  return { type, imatrix, tensorTypes: findTensorTypes(tensorType, file.tensors, imatrix) };
}

/** The same for the model that some layers are cut out of. @param rename null for a tensor that goes */
export function afterCut(
  { type, imatrix, tensorTypes }: Quantization,
  rename: (name: string) => string | null,
): Quantization {
  return {
    type,
    imatrix: imatrix && renameImatrix(imatrix, rename),
    tensorTypes: renameKeys(tensorTypes, rename),
  };
}
