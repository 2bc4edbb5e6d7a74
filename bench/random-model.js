import { closeSync, openSync, writeSync } from "node:fs";
import { headerOf, uint32, vector } from "./header.js";

/** 115 M parameters: 24 blocks, a vocabulary of 32k. */
const SHAPE = {
  blocks: 24,
  width: 512,
  feedForward: 1536,
  heads: 8,
  vocabulary: 32_000,
  context: 2048,
};

const TYPES = { f16: { number: 1, block: 1, bytes: 2 }, q8_0: { number: 8, block: 32, bytes: 34 } };

/**
 * Sequences of tokens that are scattered over the vocabulary.
 * @param {number} count
 * @param {number} length of each
 * @param {number} vocabulary
 */
export const scatteredTokens = (count, length, vocabulary) =>
  Array.from({ length: count }, (_, sequence) =>
    Int32Array.from({ length }, (_, i) => ((sequence * length + i) * 40_503) % vocabulary),
  );

/**
 * Writes a model of the llama architecture with random weights, of the size that keeps activations in range. It has no
 * tokenizer: any number below the vocabulary's size is a token.
 * @param {string} path
 * @param {"f16" | "q8_0"} type of the matrices
 */
export function writeRandomModel(path, type) {
  const { blocks, width, feedForward, heads, vocabulary, context } = SHAPE;
  const { number, block, bytes } = TYPES[type];
  const matrix = (/** @type {string} */ name, /** @type {number} */ columns, /** @type {number} */ rows) => ({
    name,
    shape: [columns, rows],
    type: number,
    byteLength: (columns / block) * bytes * rows,
  });
  const tensors = [
    matrix("token_embd.weight", width, vocabulary),
    ...Array.from({ length: blocks }, (_, i) => [
      vector(`blk.${i}.attn_norm.weight`, width),
      ...["attn_q", "attn_k", "attn_v", "attn_output"].map((kind) =>
        matrix(`blk.${i}.${kind}.weight`, width, width),
      ),
      vector(`blk.${i}.ffn_norm.weight`, width),
      matrix(`blk.${i}.ffn_gate.weight`, width, feedForward),
      matrix(`blk.${i}.ffn_up.weight`, width, feedForward),
      matrix(`blk.${i}.ffn_down.weight`, feedForward, width),
    ]).flat(),
    vector("output_norm.weight", width),
    matrix("output.weight", width, vocabulary),
  ];
  const header = headerOf(
    {
      "general.architecture": { type: "string", value: "llama" },
      "llama.block_count": uint32(blocks),
      "llama.context_length": uint32(context),
      "llama.embedding_length": uint32(width),
      "llama.feed_forward_length": uint32(feedForward),
      "llama.attention.head_count": uint32(heads),
      "llama.attention.layer_norm_rms_epsilon": { type: "float32", value: 1e-5 },
      "llama.vocab_size": uint32(vocabulary),
      "tokenizer.ggml.model": { type: "string", value: "no_vocab" },
    },
    tensors,
  );
  const random = randomNumbers();
  const file = openSync(path, "w");
  writeSync(file, header.bytes);
  for (const [index, { shape, byteLength, type: kind }] of tensors.entries()) {
    const [columns = width] = shape;
    const data = kind === 0 ? ones(width) : weights(type, byteLength, columns, random);
    writeSync(file, data, 0, byteLength, header.offsets[index]);
  }
  closeSync(file);
}

/** @param {number} count */
const ones = (count) => Buffer.from(new Float32Array(count).fill(1).buffer);

/**
 * Uniform numbers of variance 1/columns: their sign and size from random bits, in the type's own form.
 * @param {"f16" | "q8_0"} type
 * @param {number} byteLength
 * @param {number} columns
 * @param {() => number} random
 */
function weights(type, byteLength, columns, random) {
  const data = Buffer.alloc(byteLength);
  const range = Math.sqrt(3 / columns);
  if (type === "q8_0") {
    const scale = halfPrecision(range / 127);
    for (let at = 0; at < byteLength; at += 34) {
      data.writeUInt16LE(scale, at);
      for (let i = 2; i < 34; i += 4) data.writeUInt32LE(random(), at + i);
    }
    return data;
  }
  for (let at = 0; at < byteLength; at += 2) {
    data.writeUInt16LE(halfPrecision((range * (random() - 2 ** 31)) / 2 ** 31), at);
  }
  return data;
}

/**
 * The nearest smaller half-precision number's bits; those below the smallest normal one become 0.
 * @param {number} value
 */
function halfPrecision(value) {
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -14) return 0;
  const exponent = Math.floor(Math.log2(magnitude));
  const mantissa = Math.floor((magnitude / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | mantissa;
}

/** 32 random bits a call (xorshift). */
function randomNumbers() {
  let state = 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
