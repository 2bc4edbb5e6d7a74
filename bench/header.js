import { encodeValue } from "../dist/gguf/values.js";
import { writeHeader } from "../dist/gguf/write.js";

/** @import { GgufValue } from "../dist/gguf/types.js" */
/** @import { TensorToWrite } from "../dist/gguf/write.js" */

/**
 * The header of a model that is made up.
 * @param {Record<string, GgufValue>} metadata
 * @param {readonly TensorToWrite[]} tensors
 */
export const headerOf = (metadata, tensors) =>
  writeHeader({
    version: 3,
    alignment: 32,
    metadata: Object.entries(metadata).map(([key, value]) => ({
      key,
      type: value.type,
      raw: encodeValue(value),
    })),
    tensors,
  });

/** @param {number} value @returns {GgufValue} */
export const uint32 = (value) => ({ type: "uint32", value });

/** A vector in F32. @param {string} name @param {number} length */
export const vector = (name, length) => ({ name, shape: [length], type: 0, byteLength: 4 * length });
