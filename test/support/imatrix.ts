import type { GgufFile } from "../../src/gguf/types.ts";
import { array, buildGguf, randomNumbers, u32 } from "./gguf.ts";

/** What llama-imatrix counts: sums of squares, and of how many tokens, for each matrix. */
export type Counted = ReadonlyMap<string, { readonly sums: Float32Array; readonly tokens: number }>;

/** Random numbers for every matrix of a model's blocks. */
export function countedOf({ tensors }: GgufFile, seed = 1): Counted {
  const random = randomNumbers(seed);
  const matrices = tensors.filter(({ name, shape }) => shape.length > 1 && name.startsWith("blk."));
  return new Map(
    matrices.map(({ name, shape: [columns = 1] }) => [
      name,
      { sums: Float32Array.from({ length: columns }, () => 1000 * random() ** 4), tokens: 1536 },
    ]),
  );
}

const f32 = (values: Float32Array) => new Uint8Array(values.buffer);

/** The format of today. */
export function ggufImatrix(counted: Counted, datasets = ["a text"]): Uint8Array {
  return buildGguf({
    metadata: {
      "general.type": { type: "string", value: "imatrix" },
      "imatrix.datasets": array("string", datasets),
      "imatrix.chunk_count": u32(3),
      "imatrix.chunk_size": u32(512),
    },
    tensors: [...counted].flatMap(([name, { sums, tokens }]) => [
      { name: `${name}.in_sum2`, shape: [sums.length, 1], data: f32(sums) },
      { name: `${name}.counts`, shape: [1, 1], data: f32(Float32Array.of(tokens)) },
    ]),
  });
}

/** The format of old: means times the number of calls. */
export function legacyImatrix(counted: Counted, dataset: string | undefined = "a text"): Uint8Array {
  const calls = 3;
  const int = (value: number) => new Uint8Array(Int32Array.of(value).buffer);
  const text = (value: string) => [int(Buffer.byteLength(value)), Buffer.from(value)];
  const entries = [...counted].flatMap(([name, { sums, tokens }]) => [
    ...text(name),
    int(calls),
    int(sums.length),
    f32(sums.map((sum) => (sum / tokens) * calls)),
  ]);
  return Buffer.concat([int(counted.size), ...entries, ...(dataset ? [int(calls), ...text(dataset)] : [])]);
}
