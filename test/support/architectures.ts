import { readFileSync } from "node:fs";
import type { GgufValue, ScalarType, ScalarValue } from "../../src/gguf/types.ts";
import { array, buildGguf, type FixtureTensor, randomNumbers, str } from "./gguf.ts";

/**
 * Tiny models of every architecture, from test/data/architectures.json: metadata and tensor shapes are there, the
 * weights are random. Types are written as `[type, value]`, arrays as `["[type", values]`.
 */
interface Descriptions {
  /** Metadata that most models have; keys without the architecture's prefix. */
  readonly shared: Readonly<Record<string, Typed>>;
  readonly fixtures: Readonly<Record<string, Description>>;
}

type Typed = readonly [type: string, value: ScalarValue | readonly ScalarValue[]];

interface Description {
  readonly architecture: string;
  readonly metadata: Readonly<Record<string, Typed>>;
  /** Shared metadata that this model lacks. */
  readonly without?: readonly string[];
  readonly tensors: Shapes;
  /** By the blocks they belong to, e.g. `0-2,5`: tensor names without `blk.<i>.`. */
  readonly blocks: Readonly<Record<string, Shapes>>;
}

/** ggml's order of dimensions; `I32` at the end when the elements are no F32. */
type Shapes = Readonly<Record<string, readonly (number | "I32")[]>>;

const { shared, fixtures } = JSON.parse(
  readFileSync(new URL("../data/architectures.json", import.meta.url), "utf8"),
) as Descriptions;

export const FIXTURE_NAMES: readonly string[] = Object.keys(fixtures);

/** Keys that llama.cpp reads without the architecture's prefix. */
const isUnprefixed = (key: string) => key.startsWith("xielu.");

export function architectureOf(fixture: string): string {
  return fixtures[fixture]!.architecture;
}

export function fixtureMetadata(fixture: string): Record<string, GgufValue> {
  const { architecture, metadata, without = [] } = fixtures[fixture]!;
  const all = Object.entries({ ...shared, ...metadata }).filter(([key]) => !without.includes(key));
  const vocabularySize = Number(metadata.vocab_size?.[1] ?? shared.vocab_size![1]);
  const tokens = Array.from({ length: vocabularySize }, (_, token) => `t${token}`);
  return {
    "general.architecture": str(architecture),
    ...Object.fromEntries(
      all.map(([key, typed]) => [isUnprefixed(key) ? key : `${architecture}.${key}`, decode(typed)]),
    ),
    "tokenizer.ggml.model": str("test"),
    "tokenizer.ggml.tokens": array("string", tokens),
    "tokenizer.ggml.scores": array("float32", new Array(vocabularySize).fill(0)),
  };
}

/**
 * The model as a GGUF file.
 * @param metadata replaces or adds to the fixture's own
 * @param without tensors that it lacks
 */
export function buildFixture(
  fixture: string,
  metadata: Record<string, GgufValue> = {},
  without: readonly string[] = [],
): Uint8Array {
  return buildGguf({
    metadata: { ...fixtureMetadata(fixture), ...metadata },
    tensors: fixtureTensors(fixture).filter(({ name }) => !without.includes(name)),
  });
}

export function fixtureTensors(fixture: string): FixtureTensor[] {
  const { tensors, blocks, metadata } = fixtures[fixture]!;
  const experts = Number((metadata.expert_count ?? shared.expert_count)?.[1] ?? 1);
  const random = randomNumbers(1);
  const named = [
    ...Object.entries(tensors),
    ...Object.entries(blocks).flatMap(([range, shapes]) =>
      indices(range).flatMap((block) =>
        Object.entries(shapes).map(([name, shape]) => [`blk.${block}.${name}`, shape] as const),
      ),
    ),
  ];
  return named.map(([name, typedShape]) => {
    const shape = typedShape.filter((dimension) => dimension !== "I32");
    return typedShape.includes("I32")
      ? { name, shape, type: "I32", data: expertChoice(shape, experts) }
      : { name, shape, data: weights(name, shape, random) };
  });
}

function decode([type, value]: Typed): GgufValue {
  if (type.startsWith("["))
    return array(TYPES[type.slice(1)]!, (value as readonly ScalarValue[]).map(big(type.slice(1))));
  return { type: TYPES[type]!, value: value as ScalarValue };
}

const TYPES: Readonly<Record<string, ScalarType>> = {
  u32: "uint32",
  i32: "int32",
  u64: "uint64",
  f32: "float32",
  bool: "bool",
  str: "string",
};
const big = (type: string) => (value: ScalarValue) => (type === "u64" ? BigInt(value) : value);

/** `0-2,5` → 0, 1, 2, 5 */
function indices(range: string): number[] {
  return range.split(",").flatMap((part) => {
    const [first, last] = part.split("-").map(Number);
    return Array.from({ length: (last ?? first!) - first! + 1 }, (_, index) => first! + index);
  });
}

/** A token's experts (deepseek4's hash layers): one row a token, every expert of a row another one. */
function expertChoice(shape: readonly number[], experts: number): Uint8Array {
  const [used = 1, tokens = 1] = shape;
  const choice = Int32Array.from({ length: used * tokens }, (_, i) => (i * 7 + (i % used)) % experts);
  return new Uint8Array(choice.buffer);
}

/**
 * Random weights that keep activations alive: scale vectors around 1, matrices by their row length. A state-space
 * model's A must be negative.
 */
function weights(name: string, shape: readonly number[], random: () => number): Uint8Array {
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  const normal = () => (random() + random() + random() - 1.5) * 2;
  // A loop, since `from` with a function takes several times as long, and there are 90 million weights.
  const values = new Float32Array(elements);
  const isNorm = name.endsWith("norm.weight");
  const divisor = isNorm || shape.length === 1 ? 5 : Math.sqrt(shape[0]!);
  const isStateMatrix = name.includes("ssm_a");
  for (let i = 0; i < elements; i++) {
    values[i] = isStateMatrix ? -Math.abs(normal()) : (isNorm ? 1 : 0) + normal() / divisor;
  }
  return new Uint8Array(values.buffer);
}
