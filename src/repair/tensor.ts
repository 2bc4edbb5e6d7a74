import { open } from "node:fs/promises";
import { readFully } from "../files/io.ts";
import { ggmlTypeName } from "../gguf/ggml-types.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { RuntimeError } from "../model/errors.ts";
import { LARGEST_QUANTIZED, largestMagnitude, UNBOUNDED_TYPES } from "../model/magnitude.ts";
import type { Model } from "../model/model.ts";
import type { Place } from "./places.ts";

/** A map as a file holds it. */
export interface StoredMap {
  /** Number of the tensor type. */
  readonly type: number;
  /** Of the tensor, features first. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * The tensor that holds a map, and the map that it adds when it is read again.
 * @param old what the tensor holds that is replaced, if one is
 * @param importance of each feature
 * @throws RuntimeError `REPAIR_SINGULAR` for values that a quantised type cannot hold
 */
export async function storeMap(
  model: Model,
  { features, targets, replaces }: Place,
  map: Float32Array,
  type: number,
  importance: Float32Array,
  old: Float32Array | undefined,
): Promise<{ readonly stored: StoredMap; readonly map: Float32Array }> {
  const weights = old ? map.map((value, i) => value + old[i]!) : map;
  const largest = largestMagnitude(weights);
  if (largest > LARGEST_QUANTIZED && !UNBOUNDED_TYPES.has(ggmlTypeName(type))) {
    throw new RuntimeError(
      "REPAIR_SINGULAR",
      `No map fits into ${replaces?.name ?? "a layer that is put in"}: its values would go up to ${largest.toPrecision(3)}, and quantised ones only to ${LARGEST_QUANTIZED}; use \`repair: "off"\`, or another \`calibration\`.`,
    );
  }
  const bytes = await model.quantize(type, weights, features, importance);
  const read = await model.dequantize(type, bytes);
  return {
    stored: { type, shape: [features, targets], bytes },
    map: old ? read.map((value, i) => value - old[i]!) : read,
  };
}

/** What a tensor's weights are. @throws OutputError */
export async function readWeights(
  model: Model,
  file: GgufFile,
  { type, file: part, fileOffset, byteLength }: TensorInfo,
): Promise<Float32Array> {
  const path = file.paths[part]!;
  const bytes = new Uint8Array(byteLength);
  const handle = await open(path, "r");
  try {
    await readFully({ path, handle }, bytes, fileOffset);
  } finally {
    await handle.close();
  }
  return model.dequantize(type, bytes);
}
