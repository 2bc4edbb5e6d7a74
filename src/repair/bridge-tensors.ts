import { BRIDGE_FEED_FORWARD } from "../architecture/deci.ts";
import { blockTensor } from "../gguf/block-names.ts";
import type { NewTensor } from "../surgery/layout.ts";
import type { StoredMap } from "./tensor.ts";

const F32 = 0;

/**
 * The tensors of a block that computes x + map · RMSNorm(x) (architecture/deci.ts): norms of ones, no keys, and a
 * feed-forward part of zeros.
 * @param block its index in the output
 * @param map n_embd × n_embd, row-major
 */
export function bridgeTensors(block: number, { type, shape, bytes }: StoredMap): NewTensor[] {
  const [width] = shape as [number, number];
  const name = (part: string) => blockTensor(block, `${part}.weight`);
  const filled = (part: string, shape: readonly number[], value: number): NewTensor => {
    const values = new Float32Array(shape.reduce((product, length) => product * length)).fill(value);
    return { name: name(part), shape, type: F32, bytes: new Uint8Array(values.buffer) };
  };
  return [
    filled("attn_norm", [width], 1),
    { name: name("attn_output"), shape, type, bytes },
    filled("ffn_norm", [width], 1),
    filled("ffn_gate", [width, BRIDGE_FEED_FORWARD], 0),
    filled("ffn_up", [width, BRIDGE_FEED_FORWARD], 0),
    filled("ffn_down", [BRIDGE_FEED_FORWARD, width], 0),
  ];
}
