import { BRIDGE_FEED_FORWARD } from "../architecture/deci.ts";
import type { NewTensor } from "../surgery/layout.ts";

const F32 = 0;

/**
 * The tensors of a block that computes x + map · RMSNorm(x) (architecture/deci.ts): norms of ones, no keys, and a
 * feed-forward part of zeros.
 * @param block its index in the output
 * @param map n_embd × n_embd, row-major
 */
export function bridgeTensors(block: number, map: Float32Array): NewTensor[] {
  const width = Math.sqrt(map.length);
  const tensor = (name: string, shape: readonly number[], values: Float32Array): NewTensor => ({
    name: `blk.${block}.${name}.weight`,
    shape,
    type: F32,
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  });
  const ones = () => new Float32Array(width).fill(1);
  const zeros = () => new Float32Array(width * BRIDGE_FEED_FORWARD);
  return [
    tensor("attn_norm", [width], ones()),
    tensor("attn_output", [width, width], map),
    tensor("ffn_norm", [width], ones()),
    tensor("ffn_gate", [width, BRIDGE_FEED_FORWARD], zeros()),
    tensor("ffn_up", [width, BRIDGE_FEED_FORWARD], zeros()),
    tensor("ffn_down", [BRIDGE_FEED_FORWARD, width], zeros()),
  ];
}
