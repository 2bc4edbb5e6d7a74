// @ts-check
import { closeSync, openSync, writeSync } from "node:fs";
import { encodeValue } from "../dist/gguf/values.js";
import { writeHeader } from "../dist/gguf/write.js";

/** 115 M parameters: 24 blocks, a vocabulary of 32k. */
export const SHAPE = {
  blocks: 24,
  width: 512,
  feedForward: 1536,
  heads: 8,
  vocabulary: 32_000,
  context: 2048,
};

const TYPES = { f16: { number: 1, block: 1, bytes: 2 }, q8_0: { number: 8, block: 32, bytes: 34 } };

/**
 * Writes a model of the llama architecture with random weights, of the size that keeps activations in range. It has no
 * tokenizer: any number below the vocabulary's size is a token.
 * @param {string} path
 * @param {"f16" | "q8_0"} type of the matrices
 */
export function writeRandomModel(path, type, shape = SHAPE) {
  const { blocks, width, feedForward, heads, vocabulary, context } = shape;
  const { number, block, bytes } = TYPES[type];
  const matrix = (name, columns, rows) => ({
    name,
    shape: [columns, rows],
    type: number,
    byteLength: (columns / block) * bytes * rows,
  });
  const norm = (name) => ({ name, shape: [width], type: 0, byteLength: 4 * width });
  const tensors = [
    matrix("token_embd.weight", width, vocabulary),
    ...Array.from({ length: blocks }, (_, i) => [
      norm(`blk.${i}.attn_norm.weight`),
      ...["attn_q", "attn_k", "attn_v", "attn_output"].map((kind) =>
        matrix(`blk.${i}.${kind}.weight`, width, width),
      ),
      norm(`blk.${i}.ffn_norm.weight`),
      matrix(`blk.${i}.ffn_gate.weight`, width, feedForward),
      matrix(`blk.${i}.ffn_up.weight`, width, feedForward),
      matrix(`blk.${i}.ffn_down.weight`, feedForward, width),
    ]).flat(),
    norm("output_norm.weight"),
    matrix("output.weight", width, vocabulary),
  ];
  const whole = (value) => ({ type: "uint32", value });
  const metadata = Object.entries({
    "general.architecture": { type: "string", value: "llama" },
    "llama.block_count": whole(blocks),
    "llama.context_length": whole(context),
    "llama.embedding_length": whole(width),
    "llama.feed_forward_length": whole(feedForward),
    "llama.attention.head_count": whole(heads),
    "llama.attention.layer_norm_rms_epsilon": { type: "float32", value: 1e-5 },
    "llama.vocab_size": whole(vocabulary),
    "tokenizer.ggml.model": { type: "string", value: "no_vocab" },
  }).map(([key, value]) => ({ key, type: value.type, raw: encodeValue(value) }));
  const header = writeHeader({ version: 3, alignment: 32, metadata, tensors });
  const random = randomNumbers();
  const file = openSync(path, "w");
  writeSync(file, header.bytes);
  for (const [index, { shape: dimensions, byteLength, type: kind }] of tensors.entries()) {
    const data = kind === 0 ? ones(width) : weights(type, byteLength, dimensions[0], random);
    writeSync(file, data, 0, byteLength, header.offsets[index]);
  }
  closeSync(file);
}

const ones = (count) => Buffer.from(new Float32Array(count).fill(1).buffer);

/** Uniform numbers of variance 1/columns: their sign and size from random bits, in the type's own form. */
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

/** The nearest smaller half-precision number's bits; those below the smallest normal one become 0. */
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
