import { readFileSync } from "node:fs";
import type { GgufFile } from "../../src/gguf/types.ts";

/** A state: a vector for each token. */
type State = readonly Float64Array[];

/** A file's F32 tensors and numbers, as plain as can be. */
function reader({ tensors, metadata, paths }: GgufFile) {
  const bytes = readFileSync(paths[0]!);
  return {
    tensor(name: string): Float32Array | undefined {
      const found = tensors.find((tensor) => tensor.name === name);
      return (
        found && new Float32Array(bytes.buffer.slice(found.fileOffset, found.fileOffset + found.byteLength))
      );
    },
    number(key: string, otherwise = Number.NaN): number {
      const entry = metadata.get(`${metadata.get("general.architecture")!.decode().value}.${key}`);
      const value = entry?.decode().value;
      return Number(Array.isArray(value) ? value[0] : (value ?? otherwise));
    },
  };
}

const add = (a: State, b: State): State => a.map((row, token) => row.map((x, i) => x + b[token]![i]!));

function product(weight: Float32Array, x: Float64Array, bias?: Float32Array): Float64Array {
  return Float64Array.from({ length: weight.length / x.length }, (_, row) =>
    x.reduce((sum, value, i) => sum + value * weight[row * x.length + i]!, bias?.[row] ?? 0),
  );
}

/**
 * What enters every run of a layer, in the order of the runs, computed from the file alone: transformers' Nanbeige and
 * HrmText models, in double precision.
 */
export function inputsOfRuns(file: GgufFile, tokens: Int32Array): State[] {
  const { tensor, number } = reader(file);
  const width = number("embedding_length");
  const heads = number("attention.head_count");
  const size = width / heads;
  const shared = heads / number("attention.head_count_kv");
  const epsilon = number("attention.layer_norm_rms_epsilon");
  const isHrm = tensor("hrm.z_l_init") !== undefined;

  const norm = (state: State, weight?: Float32Array): State =>
    state.map((row) => {
      const rms = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / width + epsilon);
      return row.map((x, i) => (x / rms) * (weight?.[i] ?? 1));
    });
  /** A head's pairs are neighbours, or half a head apart. */
  const rotate = (row: Float64Array, position: number) => {
    const rotated = Float64Array.from(row);
    for (let head = 0; head < row.length; head += size) {
      for (let pair = 0; pair < size / 2; pair++) {
        const [a, b] = isHrm ? [head + pair, head + pair + size / 2] : [head + 2 * pair, head + 2 * pair + 1];
        const angle = position * 10000 ** ((-2 * pair) / size);
        rotated[a] = row[a]! * Math.cos(angle) - row[b]! * Math.sin(angle);
        rotated[b] = row[a]! * Math.sin(angle) + row[b]! * Math.cos(angle);
      }
    }
    return rotated;
  };
  const attend = (queries: State, keys: State, values: State): State =>
    queries.map((query, token) => {
      const mixed = new Float64Array(width);
      for (let head = 0; head < heads; head++) {
        const at = Math.floor(head / shared) * size;
        const scores = keys
          .slice(0, token + 1)
          .map((key) =>
            Math.exp(
              Array.from({ length: size }, (_, i) => query[head * size + i]! * key[at + i]!).reduce(
                (sum, x) => sum + x,
              ) / Math.sqrt(size),
            ),
          );
        const total = scores.reduce((sum, score) => sum + score);
        for (const [other, score] of scores.entries()) {
          for (let i = 0; i < size; i++) {
            mixed[head * size + i]! += (score / total) * values[other]![at + i]!;
          }
        }
      }
      return mixed;
    });
  const runBlock = (state: State, block: number): State => {
    const of = (part: string) => tensor(`blk.${block}.${part}`);
    const project = (x: State, name: string) =>
      x.map((row) => product(of(`${name}.weight`)!, row, of(`${name}.bias`)));
    const x = norm(state, of("attn_norm.weight"));
    const [queries, keys] = [project(x, "attn_q"), project(x, "attn_k")].map((rows) => rows.map(rotate));
    let attended = attend(queries!, keys!, project(x, "attn_v"));
    if (isHrm) {
      const gate = project(x, "attn_gate");
      attended = attended.map((row, token) => row.map((y, i) => y / (1 + Math.exp(-gate[token]![i]!))));
    }
    const between = add(state, project(attended, "attn_output"));
    const z = norm(between, of("ffn_norm.weight"));
    const up = project(z, "ffn_up");
    const hidden = project(z, "ffn_gate").map((row, token) =>
      row.map((y, i) => (y / (1 + Math.exp(-y))) * up[token]![i]!),
    );
    return add(between, project(hidden, "ffn_down"));
  };

  const inputs: State[] = [];
  const runStack = (state: State, first: number, layers: number): State => {
    for (let block = first; block < first + layers; block++) {
      inputs.push(state);
      state = runBlock(state, block);
    }
    return state;
  };
  const table = tensor("token_embd.weight")!;
  const scale = number("embedding_scale", 1);
  const embedded: State = Array.from(tokens, (token) =>
    Float64Array.from(table.subarray(token * width, (token + 1) * width), (x) => scale * x),
  );
  if (isHrm) {
    const layers = number("hrm.layers_per_stack");
    let high = embedded;
    let low: State = embedded.map(() => Float64Array.from(tensor("hrm.z_l_init")!));
    for (let cycle = 0; cycle < number("hrm.h_cycles"); cycle++) {
      for (let turn = 0; turn < number("hrm.l_cycles"); turn++)
        low = norm(runStack(add(high, low), 0, layers));
      high = norm(runStack(add(high, low), layers, layers));
    }
  } else {
    let state = embedded;
    for (let loop = 0; loop < number("num_loops"); loop++) {
      state = runStack(state, 0, number("block_count"));
      if (number("skip_loop_final_norm", 0) === 0) state = norm(state, tensor("output_norm.weight"));
    }
  }
  return inputs;
}
