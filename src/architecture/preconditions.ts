import { blockOf, blockTensor } from "../gguf/block-names.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { ArchitectureError } from "./errors.ts";
import { placeOf } from "./loops.ts";
import { type ModelMetadata, readModel } from "./metadata.ts";
import { keyLength } from "./rules.ts";
import { WHOLE_ROTATIONS } from "./whole-rotations.ts";

/** LLAMA_MAX_EXPERTS of llama-hparams.h. */
const MOST_EXPERTS = 1024;

/** What llama.cpp takes for granted of a key of any architecture, and ends its process without (llama-model.cpp, `load_hparams`). */
interface Precondition {
  /** Without the architecture's prefix. */
  readonly key: string;
  /** What the value must be. */
  readonly needs: string;
  /** Whether a value that is there is that. */
  holds(model: ModelMetadata): boolean;
}

const SCALINGS: readonly unknown[] = ["none", "linear", "yarn", "longrope"];

const experts = (model: ModelMetadata) => model.number("expert_count") ?? 0;
const groups = (model: ModelMetadata) => model.number("expert_group_count") ?? 0;
/** The most experts that a block uses. */
const used = (model: ModelMetadata) => Math.max(0, ...numbersOf(model, "expert_used_count"));
const within = (value: number, low: number, high: number) => value >= low && value <= high;

/** llama.cpp takes one expert for none in these (`load_hparams`). */
const ONE_IS_NONE: ReadonlySet<string> = new Set(["hunyuan_vl", "hunyuan-dense"]);
const withExperts = (model: ModelMetadata) => !(ONE_IS_NONE.has(model.name) && experts(model) <= 1);

const integer = (key: string): Precondition => ({
  key,
  needs: "whole numbers",
  holds: (model) => {
    const value = model.value(key);
    const type = value?.type === "array" ? value.elementType : value?.type;
    return type === undefined || /^u?int\d+$/.test(type);
  },
});

const epsilon = (key: string): Precondition => ({
  key,
  needs: "a number of at least 0",
  holds: (model) => numbersOf(model, key).every((value) => value >= 0 && Number.isFinite(value)),
});

const rotation = (key: string): Precondition => ({
  key,
  // Of none, ggml computes for ever.
  needs: "an even number of at least 2, at most the size of a head",
  holds: (model) => {
    const count = model.number(key);
    return (
      count === undefined || (count % 2 === 0 && within(count, 2, model.number("embedding_length") ?? 0))
    );
  },
});

/** Of heads that are rotated whole. */
const asLongAsKeys = (key: string): Precondition => ({
  key,
  needs: "the length of a head's keys (attention.key_length; else embedding_length by attention.head_count)",
  holds: (model) => {
    const length = model.number(key);
    return length === undefined || !WHOLE_ROTATIONS.has(model.name) || length === keyLength(model);
  },
});

const PRECONDITIONS: readonly Precondition[] = [
  {
    key: "context_length",
    needs: "at least 2",
    holds: (model) => (model.number("context_length") ?? 0) >= 2,
  },
  {
    key: "embedding_length",
    needs: "at least 1",
    holds: (model) => (model.number("embedding_length") ?? 0) >= 1,
  },
  {
    key: "rope.scaling.type",
    needs: `one of ${SCALINGS.join(", ")}`,
    holds: (model) => SCALINGS.includes(model.value("rope.scaling.type")?.value ?? "none"),
  },
  {
    key: "expert_count",
    needs: `at most ${MOST_EXPERTS}, with an expert_used_count if it is not 0`,
    holds: (model) =>
      !withExperts(model) || (experts(model) <= MOST_EXPERTS && (experts(model) === 0 || used(model) > 0)),
  },
  {
    key: "expert_used_count",
    needs: "at most the expert_count",
    holds: (model) => !withExperts(model) || used(model) <= experts(model),
  },
  {
    key: "expert_group_count",
    needs: "a divisor of the expert_count, less than it",
    holds: (model) =>
      groups(model) === 0 || (groups(model) < experts(model) && experts(model) % groups(model) === 0),
  },
  {
    key: "expert_group_used_count",
    needs: "at least 1 and less than the expert_group_count",
    holds: (model) =>
      groups(model) <= 1 || within(model.number("expert_group_used_count") ?? 0, 1, groups(model) - 1),
  },
  ...["attention.head_count", "attention.head_count_kv", "feed_forward_length"].map(integer),
  ...["layer_norm_rms", "layer_norm", "group_norm"].map((norm) => epsilon(`attention.${norm}_epsilon`)),
  {
    key: "attention.head_count",
    needs: "at least 1 in a layer with attention",
    holds: (model) =>
      numbersOf(model, "attention.head_count").every(
        (heads, block, all) => heads > 0 || !hasAttention(model, all.length === 1 ? 0 : block),
      ),
  },
  ...["rope.dimension_count", "rope.dimension_count_swa"].map(rotation),
  ...["rope.dimension_count", "attention.value_length"].map(asLongAsKeys),
];

/** A key's number or numbers; none where it is missing. */
function numbersOf(model: ModelMetadata, key: string): readonly number[] {
  const one = model.number(key);
  return one === undefined ? (model.numbers(key) ?? []) : [one];
}

const hasAttention = (model: ModelMetadata, block: number) =>
  ["attn_q", "attn_qkv"].some((name) => model.tensor(blockTensor(block, `${name}.weight`)) !== undefined);

/** ggml's types of numbers as they are, and of what is computed only on the way: no matrix product takes them. */
const NO_WEIGHTS: ReadonlySet<string> = new Set(["I8", "I16", "I32", "I64", "F64", "Q8_1", "Q8_K"]);

/** Tables of token numbers, not weights: which experts a token goes to (deepseek4). */
const TABLE = /\.ffn_gate_tid2eid\.weight$/;

/** Norms, weights of short convolutions, and a first state, which converters leave as they are whatever their shape. */
const ALWAYS_F32 = /norm\w*\.(weight|bias)$|\.(ssm_conv1d\w*|shortconv\.conv)\.weight$|^hrm\.z_l_init$/;

/** What llama.cpp takes for granted of a tensor. @returns what it must be, if it is not */
function unmetBy({ name, shape, typeName, fileOffset }: TensorInfo): string | undefined {
  // Mapped data is read with aligned instructions (ggml-backend.cpp, TENSOR_ALIGNMENT).
  if (fileOffset % 32 !== 0) return `begin at a multiple of 32 bytes, and begins at ${fileOffset}`;
  const isVector = shape.slice(1).every((length) => length === 1);
  // ggml adds, multiplies and convolves by these as they are (binary-ops.cpp, ops.cpp).
  if ((ALWAYS_F32.test(name) || (isVector && name.endsWith(".bias"))) && typeName !== "F32") {
    return `be F32, and is ${typeName}`;
  }
  if (name.endsWith(".weight") && !TABLE.test(name) && NO_WEIGHTS.has(typeName)) {
    return `be of floating-point or quantised numbers, and is ${typeName}`;
  }
  return undefined;
}

/**
 * Refuses a file that counts other blocks than it has tensors of; one may be without any where it computes nothing.
 * @throws ArchitectureError `ARCHITECTURE_METADATA`
 */
export function checkBlockCount(file: GgufFile): void {
  const { name, blockCount, loops, numbers } = readModel(file);
  const present = new Set(file.tensors.flatMap((tensor) => blockOf(tensor.name) ?? []));
  const widths = numbers("feed_forward_length");
  const counted = Array.from({ length: blockCount * loops.stacks.length }, (_, block) => block);
  const missing = counted.filter((block) => !present.has(block) && widths?.[block] !== 0);
  const more = [...present].filter((block) => block >= counted.length);
  if (missing.length === 0 && more.length === 0) return;
  const which = (blocks: readonly number[]) => {
    const layers = [...new Set(blocks.map((block) => placeOf(loops, block).layer))].sort((a, b) => a - b);
    return `layer${layers.length > 1 ? "s" : ""} ${listed(layers)}`;
  };
  const what =
    present.size === 0
      ? "has no tensors of any layer"
      : more.length > 0
        ? `has tensors of ${which(more)}`
        : `has no tensors of ${which(missing)}`;
  throw new ArchitectureError(
    "ARCHITECTURE_METADATA",
    `${file.paths[0]} (${name}) says that it has ${blockCount} layers, but ${what}; download or convert it again.`,
  );
}

const LISTED = 8;

function listed(layers: readonly number[]): string {
  return layers.length > LISTED ? `${layers.slice(0, LISTED).join(", ")}, …` : layers.join(", ");
}

/**
 * Refuses a file in which llama.cpp would not find what it takes for granted, with the key or the tensor that is wrong.
 * Not complete, nor need it be: what it does not find, `src/model/host.ts` survives.
 * @throws ArchitectureError `ARCHITECTURE_METADATA`
 */
export function checkPreconditions(file: GgufFile): void {
  checkBlockCount(file);
  const model = readModel(file);
  const refuse = (what: string) => {
    throw new ArchitectureError(
      "ARCHITECTURE_METADATA",
      `${file.paths[0]} cannot be run by llama.cpp: ${what}; download the model again, or convert it again.`,
    );
  };
  const unmet = PRECONDITIONS.find((precondition) => !precondition.holds(model));
  if (unmet) {
    refuse(`${model.fullKey(unmet.key)} is ${shown(model, unmet.key)}, and must be ${unmet.needs}`);
  }
  for (const tensor of file.tensors) {
    const must = GGML_TYPES.has(tensor.type) ? unmetBy(tensor) : undefined;
    if (must !== undefined) refuse(`its tensor ${tensor.name} must ${must}`);
  }
  const tokens = vocabulary(file);
  if (tokens?.length === 0) refuse("its vocabulary is empty");
  const twice = tokens && repeatedToken(tokens);
  if (twice !== undefined) refuse(`its vocabulary has the token ${JSON.stringify(twice)} twice`);
}

function shown(model: ModelMetadata, key: string): string {
  const value = model.value(key);
  if (value === undefined) return "missing";
  return value.type === "array" ? `[${value.value.slice(0, 8).join(", ")}]` : String(value.value);
}

/** The tokens, if the file lists any. */
function vocabulary(file: GgufFile): readonly unknown[] | undefined {
  const tokens = file.metadata.get("tokenizer.ggml.tokens")?.decode();
  return tokens?.type === "array" && tokens.elementType === "string" ? tokens.value : undefined;
}

/**
 * A token that stands twice in the vocabulary; empty ones llama.cpp numbers. Those that are no UTF-8 look alike here, so
 * only llama.cpp can tell.
 */
function repeatedToken(tokens: readonly unknown[]): string | undefined {
  const seen = new Set<unknown>();
  for (const token of tokens) {
    if (token !== "" && seen.has(token) && !String(token).includes("\ufffd")) return String(token);
    seen.add(token);
  }
  return undefined;
}
