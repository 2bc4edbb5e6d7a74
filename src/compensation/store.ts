import { open } from "node:fs/promises";
import type { BlockFactors } from "../documents/compensation.ts";
import { throwIfAborted } from "../errors.ts";
import { readFully } from "../files/io.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import type { Transform } from "../surgery/copy.ts";
import type { Changes, NewTensor } from "../surgery/layout.ts";
import { CompensationError } from "./errors.ts";
import { canScale, type Scaled, tensorScaler } from "./scale-tensor.ts";
import { streamRule, writersOf } from "./writers.ts";

export interface StoreOptions {
  /** By tensor name: what else its weights are multiplied by, whatever the factors (`Rewrite.scales`). */
  readonly scales?: ReadonlyMap<string, number> | undefined;
  /** Give a tensor that cannot be multiplied itself a `.scale` tensor, where llama.cpp would read it. */
  readonly scaleTensors?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The largest relative error of a factor in a tensor: root mean square over its scales, each by its size. Rounding to
 * f16 costs 2^-12 or so; only scales below f16's normal range cost more.
 */
const TOLERANCE = 2 ** -9;

/**
 * Where in a file the factors of its blocks, and `scales`, go: what surgery has to change. Reads the tensors that change.
 * @throws CompensationError naming the tensor that cannot take its factor; SurgeryError, AbortedError
 */
export async function storeFactors(
  file: GgufFile,
  architecture: string,
  factors: readonly BlockFactors[],
  { scales = new Map(), scaleTensors = false, signal }: StoreOptions = {},
): Promise<Required<Changes>> {
  const transforms = new Map<string, Transform>();
  const added: NewTensor[] = [];
  const multiply = async (tensor: TensorInfo, own: number) => {
    const factor = own * (scales.get(tensor.name) ?? 1);
    const trouble = await troubleWith(file, tensor, factor, signal);
    if (!trouble) transforms.set(tensor.name, transformOf(tensor, factor));
    return trouble;
  };
  for (const tensor of file.tensors.filter(({ name }) => scales.has(name))) {
    const trouble = await multiply(tensor, 1);
    if (trouble)
      throw cannotMultiply(tensor, scales.get(tensor.name)!, trouble, "remove another number of layers");
  }
  if (factors.length === 0) return { transforms, added };
  const { readsScales = false } = streamRule(architecture);
  for (const { factor, weight, scale, bias, scalesBias } of writersOf(file, architecture, factors)) {
    const trouble = await multiply(scale ?? weight, factor);
    const newScale = trouble !== undefined && scaleTensors && readsScales && scale === undefined;
    if (newScale) added.push(newScaleOf(weight, factor));
    else if (trouble) throw refusal(weight, factor, trouble, readsScales && !scaleTensors);
    if (!bias || (scalesBias && (newScale || scale))) continue;
    const troubleWithBias = await multiply(bias, factor);
    if (troubleWithBias) throw refusal(bias, factor, troubleWithBias, false);
  }
  return { transforms, added };
}

function transformOf({ type }: TensorInfo, factor: number): Transform {
  const scale = tensorScaler(type, factor);
  const apply = (blocks: Uint8Array) => {
    scale(blocks);
    return blocks;
  };
  return { unit: GGML_TYPES.get(type)!.typeSize, apply };
}

/** One factor, or one for each expert. */
function newScaleOf({ name, shape }: TensorInfo, factor: number): NewTensor {
  const length = shape[2] ?? 1;
  return {
    name: name.replace(/weight$/, "scale"),
    shape: [length],
    type: 0,
    bytes: new Uint8Array(Float32Array.from({ length }, () => factor).buffer),
  };
}

/** Why a tensor cannot be multiplied by a factor, or undefined when it can. */
async function troubleWith(
  file: GgufFile,
  tensor: TensorInfo,
  factor: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!canScale(tensor.type)) return `type ${tensor.typeName} has no scales fine enough`;
  const { overflowed, squaredError, squaredSize } = await tryScaling(file, tensor, factor, signal);
  if (overflowed) return "its scales would overflow";
  return squaredError > TOLERANCE ** 2 * squaredSize ? "its scales are too small to be exact" : undefined;
}

/** Bytes read at once, about. */
const CHUNK = 2 ** 20;

async function tryScaling(
  file: GgufFile,
  { type, file: part, fileOffset, byteLength }: TensorInfo,
  factor: number,
  signal: AbortSignal | undefined,
): Promise<Scaled> {
  const path = file.paths[part]!;
  const scale = tensorScaler(type, factor);
  const { typeSize } = GGML_TYPES.get(type)!;
  const buffer = new Uint8Array(Math.min(CHUNK - (CHUNK % typeSize), byteLength));
  const sums = { squaredError: 0, squaredSize: 0, overflowed: false };
  const handle = await open(path, "r");
  try {
    for (let done = 0; done < byteLength; ) {
      throwIfAborted(signal);
      const chunk = buffer.subarray(0, byteLength - done);
      await readFully({ path, handle }, chunk, fileOffset + done);
      const part = scale(chunk);
      sums.squaredError += part.squaredError;
      sums.squaredSize += part.squaredSize;
      sums.overflowed ||= part.overflowed;
      done += chunk.length;
    }
  } finally {
    await handle.close();
  }
  return sums;
}

function refusal(tensor: TensorInfo, factor: number, trouble: string, scalesWouldHelp: boolean) {
  const advice = scalesWouldHelp ? ", or `scaleTensors`, which needs a llama.cpp that reads them" : "";
  return cannotMultiply(tensor, factor, trouble, `use \`compensate: "off"\`${advice}`);
}

function cannotMultiply(
  { name, type, typeName }: TensorInfo,
  factor: number,
  trouble: string,
  advice: string,
) {
  return new CompensationError(
    canScale(type) ? "COMPENSATION_PRECISION" : "COMPENSATION_TYPE",
    `${name} (${typeName}) cannot be multiplied by ${factor} because ${trouble}; ${advice}.`,
  );
}
