import { readFileSync } from "node:fs";
import type { GgufFile } from "../../src/gguf/types.ts";

/** A tensor's values, F32. */
function values(file: GgufFile, name: string): Float32Array | undefined {
  const tensor = file.tensors.find((one) => one.name === name);
  if (!tensor) return undefined;
  const { file: part, fileOffset, byteLength } = tensor;
  const bytes = readFileSync(file.paths[part]!).subarray(fileOffset, fileOffset + byteLength);
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** What stands between the embedding of a token and the first block. */
const BEFORE_THE_FIRST_BLOCK: Readonly<Record<string, "position" | "norm" | "rms" | "state">> = {
  gpt2: "position",
  starcoder: "position",
  mpt: "position",
  bloom: "norm",
  rwkv6: "norm",
  rwkv7: "norm",
  talkie: "rms",
  "muse-glimmer": "rms",
  hrm_text: "state",
};

/**
 * The Euclidean norm of each token's embedding as it enters block 0, up to a factor common to all tokens, computed from
 * the file alone.
 */
export function embeddingNorms(file: GgufFile, architecture: string, tokens: Int32Array): number[] {
  const embeddings = values(file, "token_embd.weight")!;
  const width = file.tensors.find(({ name }) => name === "token_embd.weight")!.shape[0]!;
  const before = BEFORE_THE_FIRST_BLOCK[architecture];
  const positions = before === "position" ? values(file, "position_embd.weight") : undefined;
  const weight = before === "norm" ? values(file, "token_embd_norm.weight") : undefined;
  const bias = values(file, "token_embd_norm.bias");
  const state = before === "state" ? values(file, "hrm.z_l_init") : undefined;
  const scale = Number(file.metadata.get(`${architecture}.embedding_scale`)?.decode().value ?? 1);
  const instead = substitutes(file);
  return Array.from(tokens, (given, position) => {
    const token = instead.get(given) ?? given;
    let row = Array.from(embeddings.subarray(token * width, (token + 1) * width));
    if (positions) row = row.map((x, i) => x + positions[position * width + i]!);
    if (state) row = row.map((x, i) => scale * x + state[i]!);
    if (weight) {
      const mean = row.reduce((sum, x) => sum + x, 0) / width;
      const deviation = Math.sqrt(row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / width + 1e-5);
      row = row.map((x, i) => ((x - mean) / deviation) * weight[i]! + (bias?.[i] ?? 0));
    }
    // Root mean square norms make all of them equally long.
    return before === "rms" ? 1 : Math.hypot(...row);
  });
}

/** Tokens that stand for an adapter and are embedded as others (graniteswitch). */
function substitutes({ metadata }: GgufFile): ReadonlyMap<number, number> {
  const ids = (what: string) => {
    const value = metadata.get(`graniteswitch.adapters.token_ids_${what}`)?.decode();
    return value?.type === "array" ? value.value.map(Number) : [];
  };
  const substitute = ids("substitute");
  return new Map(ids("activate").map((token, i) => [token, substitute[i]!]));
}

/** How far the norms of block 0's inputs are from being multiples of the embeddings', relatively. */
export function inputError(norms: Float32Array, embeddings: readonly number[]): number {
  const ratios = embeddings.map((norm, token) => norms[token]! / norm);
  return Math.max(...ratios) / Math.min(...ratios) - 1;
}
