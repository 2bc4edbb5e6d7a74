import type { GgufArray, GgufValue, ScalarType, ScalarValue } from "../../src/gguf/types.ts";
import { FIXTURE_NAMES, fixtureMetadata, fixtureTensors } from "../support/architectures.ts";
import {
  array,
  buildGguf,
  type Fixture,
  type FixtureTensor,
  f32,
  randomNumbers,
  str,
  u32,
} from "../support/gguf.ts";

/** A model file with one thing in it that cannot be meant, or hardly. */
export interface OddModel {
  /** What is odd about it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a model is made of, and what is odd about it. */
interface Odd extends Fixture {
  readonly name: string;
  readonly metadata: Readonly<Record<string, GgufValue>>;
  readonly tensors: readonly FixtureTensor[];
}

type Whole = Omit<Odd, "name">;

/** Numbers in place of what a model says: none, too few, too many, and what no width can hold. */
const ODD_NUMBERS: readonly ((value: number) => number)[] = [
  () => 0,
  () => 1,
  () => 3,
  (value) => value + 1,
  (value) => value - 1,
  (value) => 2 * value,
  (value) => Math.floor(value / 2),
  (value) => -value,
  () => 513,
  () => 1025,
  () => 2 ** 20,
  () => 2 ** 31,
  () => 2 ** 32 - 1,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => 1e-40,
];

const ODD_TEXTS = [
  "",
  "none",
  "no_such_thing",
  "yarn",
  "gpt2",
  "bert",
  "t5",
  "rwkv",
  "plamo2",
  "llama",
  "\u0000",
];

const INTEGER_BITS: Readonly<Record<string, readonly [low: number, high: number]>> = {
  uint8: [0, 2 ** 8 - 1],
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint16: [0, 2 ** 16 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** The value as the type can hold it. */
function fitted(type: ScalarType, value: number): GgufValue {
  if (type === "float32" || type === "float64") return { type, value: Math.fround(value) };
  if (type === "bool") return { type, value: value !== 0 };
  const whole = Number.isFinite(value) ? Math.trunc(value) : 0;
  if (type === "uint64") return { type, value: BigInt(Math.max(whole, 0)) };
  if (type === "int64") return { type, value: BigInt(whole) };
  const [low, high] = INTEGER_BITS[type]!;
  return { type, value: Math.min(high, Math.max(low, whole)) };
}

/** Draws one of a list. */
type Pick = <Item>(items: readonly Item[]) => Item;

function oddValue(value: GgufValue, pick: Pick): GgufValue {
  if (value.type === "array") return oddArray(value, pick);
  if (value.type === "string") return pick([str(pick(ODD_TEXTS)), u32(1), array("string", ["a"])]);
  const number = Number(value.value);
  const odd = pick(ODD_NUMBERS)(number);
  return pick([
    fitted(value.type, odd),
    fitted(value.type, odd),
    fitted(value.type, odd),
    fitted(pick(["uint64", "int32", "float32", "bool", "uint8"]), odd),
    str(String(number)),
    array("uint32", [1, 2, 3]),
    array("bool", new Array<boolean>(12).fill(true)),
    array("float32", new Array<number>(12).fill(0.5)),
  ]);
}

function oddArray({ elementType, value }: GgufArray, pick: Pick): GgufValue {
  const type = elementType as ScalarType;
  const items = value as readonly ScalarValue[];
  if (type === "string") {
    return pick([
      array(type, []),
      array(type, items.slice(1)),
      array(type, [...items, "more"]),
      array(
        type,
        items.map(() => "same"),
      ),
      array(type, [...items.slice(0, -1), items[0] ?? ""]),
      array(
        "uint32",
        items.map(() => 1),
      ),
    ]);
  }
  const odd = pick(ODD_NUMBERS);
  const changed = (item: ScalarValue) => fitted(type, odd(Number(item))).value as ScalarValue;
  const at = pick([...items.keys()]);
  return pick([
    array(type, items.map(changed)),
    array(
      type,
      items.map((item, index) => (index === at ? changed(item) : item)),
    ),
    array(type, items.slice(1)),
    array(type, [...items, ...items]),
    array(type, []),
    array(
      "bool",
      items.map((item) => Number(item) !== 0),
    ),
    array("float32", items.map(Number)),
    fitted(type, odd(Number(items[0] ?? 0))),
  ]);
}

/** Keys that fixtures lack and that llama.cpp reads of any architecture. */
const MORE_KEYS: Readonly<Record<string, GgufValue>> = {
  "rope.scaling.type": str("linear"),
  "rope.scaling.factor": f32(4),
  "rope.dimension_count": u32(16),
  "rope.freq_base": f32(10000),
  "attention.key_length": u32(16),
  "attention.value_length": u32(16),
  "attention.group_norm_groups": u32(4),
  "attention.group_norm_epsilon": f32(1e-5),
  expert_count: u32(4),
  expert_used_count: u32(2),
  expert_group_count: u32(2),
  expert_group_used_count: u32(1),
  nextn_predict_layers: u32(1),
  pooling_type: u32(1),
};

/** ggml types and how many bytes a tensor of so many elements takes. */
const ODD_TYPES: readonly (readonly [type: string, bytes: (elements: number) => number])[] = [
  ["F16", (n) => 2 * n],
  ["BF16", (n) => 2 * n],
  ["I8", (n) => n],
  ["I16", (n) => 2 * n],
  ["I32", (n) => 4 * n],
  ["I64", (n) => 8 * n],
  ["F64", (n) => 8 * n],
  ["Q8_0", (n) => (34 * n) / 32],
  ["Q4_0", (n) => (18 * n) / 32],
];

const elements = ({ shape }: FixtureTensor) => shape.reduce((product, n) => product * n, 1);

/** Ways to make a model odd. Metadata comes most often. */
const ODDITIES: readonly ((whole: Whole, pick: Pick) => Odd)[] = [
  ...new Array<(whole: Whole, pick: Pick) => Odd>(10).fill(changeKey),
  addKey,
  addKey,
  dropKey,
  changeTensorType,
  changeTensorType,
  dropTensor,
  reshapeTensor,
  changeAlignment,
];

function changeKey(whole: Whole, pick: Pick): Odd {
  const [key, value] = pick(Object.entries(whole.metadata));
  const odd = oddValue(value, pick);
  return { ...whole, name: `${key} = ${shown(odd)}`, metadata: { ...whole.metadata, [key]: odd } };
}

function addKey(whole: Whole, pick: Pick): Odd {
  const [key, value] = pick(Object.entries(MORE_KEYS));
  const full = `${String(whole.metadata["general.architecture"]!.value)}.${key}`;
  const odd = oddValue(value, pick);
  return { ...whole, name: `${full} = ${shown(odd)}`, metadata: { ...whole.metadata, [full]: odd } };
}

function dropKey(whole: Whole, pick: Pick): Odd {
  const { [pick(Object.keys(whole.metadata).slice(1))]: dropped, ...metadata } = whole.metadata;
  const key = Object.keys(whole.metadata).find((name) => whole.metadata[name] === dropped);
  return { ...whole, name: `without ${key}`, metadata };
}

function changeTensorType(whole: Whole, pick: Pick): Odd {
  const [type, bytes] = pick(ODD_TYPES);
  const isWhole = (tensor: FixtureTensor) => !/^[QI]Q?\d_/.test(type) || tensor.shape[0]! % 32 === 0;
  const fitting = whole.tensors.filter(isWhole);
  if (fitting.length === 0) return dropTensor(whole, pick);
  const changed = pick(fitting);
  const other = { ...changed, type, data: new Uint8Array(bytes(elements(changed))) };
  return {
    ...whole,
    name: `${changed.name} is ${type}`,
    tensors: whole.tensors.map((tensor) => (tensor === changed ? other : tensor)),
  };
}

function dropTensor(whole: Whole, pick: Pick): Odd {
  const dropped = pick(whole.tensors);
  return {
    ...whole,
    name: `without ${dropped.name}`,
    tensors: whole.tensors.filter((tensor) => tensor !== dropped),
  };
}

function reshapeTensor(whole: Whole, pick: Pick): Odd {
  const changed = pick(whole.tensors);
  const shape = pick([
    changed.shape.toReversed(),
    [...changed.shape, 1],
    [1, ...changed.shape],
    [elements(changed)],
  ]);
  return {
    ...whole,
    name: `${changed.name} is [${shape}]`,
    tensors: whole.tensors.map((tensor) => (tensor === changed ? { ...tensor, shape } : tensor)),
  };
}

function changeAlignment(whole: Whole, pick: Pick): Odd {
  const odd = u32(pick([1, 4, 8, 16, 24, 64, 4096]));
  const one = { name: "odd.bias", shape: [1], data: new Uint8Array(4) };
  return {
    ...whole,
    name: `general.alignment = ${shown(odd)}`,
    metadata: { ...whole.metadata, "general.alignment": odd },
    tensors: [one, ...whole.tensors],
  };
}

function shown(value: GgufValue): string {
  if (value.type !== "array") return `${value.type} ${String(value.value)}`;
  const first = value.value.slice(0, 4).map(String);
  return `${value.elementType}[${value.value.length}] ${first.join(" ")}`;
}

/**
 * Odd models of every architecture in turn, the same for the same seed and count.
 * @param count at least as many as there are fixtures gives each its share
 */
export function* oddModels(count: number, seed: number): Generator<OddModel> {
  const random = randomNumbers(seed);
  const pick: Pick = (items) => items[Math.floor(random() * items.length)]!;
  for (const [index, fixture] of FIXTURE_NAMES.entries()) {
    const share =
      Math.floor(((index + 1) * count) / FIXTURE_NAMES.length) -
      Math.floor((index * count) / FIXTURE_NAMES.length);
    const whole = { metadata: fixtureMetadata(fixture), tensors: fixtureTensors(fixture) };
    for (let made = 0; made < share; made++) {
      const { name, ...odd } = pick(ODDITIES)(whole, pick);
      yield { name: `${fixture}: ${name}`, bytes: buildGguf(odd) };
    }
  }
}
