import { open } from "node:fs/promises";
import { throwIfAborted } from "../errors.ts";
import { OutputError } from "../files/errors.ts";
import { readFully } from "../files/io.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import type { Transform } from "./copy.ts";
import { canScale, type Scaled, tensorScaler } from "./scale-tensor.ts";

/**
 * The largest relative error of a factor in a tensor: root mean square over its scales, each by its size. Rounding to
 * f16 costs 2^-12 or so; only scales below f16's normal range cost more.
 */
const TOLERANCE = 2 ** -9;

/**
 * How tensors are multiplied while they are copied. Reads those tensors.
 * @param factors by tensor name (`Rewrite.scales`)
 * @throws OutputError naming the tensor that cannot be multiplied; AbortedError
 */
export async function multiplyTensors(
  file: GgufFile,
  factors: ReadonlyMap<string, number> = new Map(),
  signal?: AbortSignal,
): Promise<Map<string, Transform>> {
  const transforms = new Map<string, Transform>();
  for (const tensor of file.tensors) {
    const factor = factors.get(tensor.name);
    if (factor === undefined) continue;
    await checkFactor(file, tensor, factor, signal);
    transforms.set(tensor.name, transformOf(tensor, factor));
  }
  return transforms;
}

function transformOf({ type }: TensorInfo, factor: number): Transform {
  const scale = tensorScaler(type, factor);
  const apply = (blocks: Uint8Array) => {
    scale(blocks);
    return blocks;
  };
  return { unit: GGML_TYPES.get(type)!.typeSize, apply };
}

/** Refuses a tensor that cannot be multiplied by a factor. */
async function checkFactor(
  file: GgufFile,
  tensor: TensorInfo,
  factor: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const refusal = (trouble: string) =>
    new OutputError(
      "TENSOR_FACTOR",
      `${tensor.name} (${tensor.typeName}) cannot be multiplied by ${factor} because ${trouble}; remove another number of layers.`,
    );
  if (!canScale(tensor.type)) throw refusal(`type ${tensor.typeName} has no scales fine enough`);
  const { overflowed, squaredError, squaredSize } = await tryScaling(file, tensor, factor, signal);
  if (overflowed) throw refusal("its scales would overflow");
  if (squaredError > TOLERANCE ** 2 * squaredSize) throw refusal("its scales are too small to be exact");
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
