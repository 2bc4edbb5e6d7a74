import { readGguf } from "../gguf/read.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { unreadable } from "./errors.ts";
import type { ImportanceMatrix } from "./types.ts";

const SUMS = ".in_sum2";
const COUNTS = ".counts";

/**
 * The format since 2025 (source: llama.cpp common/imatrix-loader.cpp): a GGUF file with two tensors a matrix, the sums
 * of its inputs' squares and of how many tokens they are, one number for each expert.
 * @param bytes the whole file
 * @throws ImatrixError, GgufError
 */
export async function readGgufImatrix(
  path: string,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<ImportanceMatrix> {
  const { metadata, tensors } = await readGguf(path, { signal });
  const value = (key: string) => metadata.get(`imatrix.${key}`)?.decode().value;
  const datasets = value("datasets");
  const chunks = value("chunk_count");
  if (!Array.isArray(datasets) || typeof chunks !== "number" || value("chunk_size") === undefined) {
    throw unreadable(path, "it is a GGUF file without an importance matrix's metadata");
  }
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const floats = (tensor: TensorInfo) => floatsOf(path, bytes, tensor);
  const values = new Map<string, Float32Array>();
  for (const tensor of tensors.filter(({ name }) => name.endsWith(SUMS))) {
    const name = tensor.name.slice(0, -SUMS.length);
    const counts = byName.get(name + COUNTS);
    if (counts === undefined) throw unreadable(path, `the counts of ${name} are missing`);
    const [sums, tokens] = [floats(tensor), floats(counts)];
    if (tokens.length === 0 || sums.length % tokens.length !== 0) {
      throw unreadable(path, `the sums and counts of ${name} do not go together`);
    }
    values.set(name, means(sums, tokens));
  }
  if (values.size === 0) throw unreadable(path, "it is empty");
  return { path, datasets: textsOf(datasets), chunks, values };
}

const textsOf = (datasets: readonly unknown[]) => datasets.filter((name) => typeof name === "string");

function floatsOf(path: string, bytes: Uint8Array, tensor: GgufFile["tensors"][number]): Float32Array {
  const { name, typeName, fileOffset, byteLength } = tensor;
  if (typeName !== "F32") throw unreadable(path, `${name} is ${typeName}, not F32`);
  if (fileOffset + byteLength > bytes.length) throw unreadable(path, "it was changed while it was read");
  const view = new DataView(bytes.buffer, bytes.byteOffset + fileOffset, byteLength);
  return Float32Array.from({ length: byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

/** As llama-quantize divides them: an expert that no token chose counts evenly. */
function means(sums: Float32Array, counts: Float32Array): Float32Array {
  const columns = sums.length / counts.length;
  return sums.map((sum, i) => {
    const count = Math.round(counts[Math.floor(i / columns)] ?? 0);
    return count > 0 ? sum / Math.fround(count) : 1;
  });
}
