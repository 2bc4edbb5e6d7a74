import { GGML_TYPES } from "../gguf/ggml-types.ts";
import type { GgufFile, GgufValue } from "../gguf/types.ts";
import type { Constraints } from "../selection/types.ts";
import { ArchitectureError } from "./errors.ts";
import { type Model, readModel } from "./metadata.ts";
import { COMMON_RULES, type Rule } from "./rules.ts";
import { ARCHITECTURES, type Entry } from "./table.ts";
import type { Architecture, Rewrite, StateTensors, TensorSlice } from "./types.ts";

/**
 * Reads from a file's metadata what its blocks are and what holds them in place.
 * @throws ArchitectureError when the architecture is unknown, or none of its blocks can be removed
 */
export function describeArchitecture(file: GgufFile): Architecture {
  const { model, entry, rules } = interpret(file);
  return {
    name: model.name,
    blockCount: model.blockCount,
    analysedBlocks: model.trunkBlocks,
    states: statesOf(model, entry),
    constraints: constraintsOf(model, rules),
  };
}

function statesOf(model: Model, { states = {} }: Entry): StateTensors {
  const { streams = () => 1, emptyBlocks = () => [], ...names } = states;
  return {
    blockOutput: "l_out",
    blockInput: "",
    input: "",
    lastOutput: "",
    streamsInside: false,
    ...names,
    streams: streams(model),
    emptyBlocks: emptyBlocks(model),
  };
}

/**
 * What has to change in the file when only `kept` stay, so that each of them computes what it did.
 * @param kept ascending indices of the kept blocks among all of `block_count`, prediction blocks included
 * @throws ArchitectureError as `describeArchitecture`, and naming the rule that this removal breaks
 */
export function planRewrite(file: GgufFile, kept: readonly number[]): Rewrite {
  const { model, rules } = interpret(file);
  checkKept(model, rules, kept);
  const set = new Map<string, GgufValue>();
  for (const rule of rules) {
    for (const [key, value] of rule.set?.(model, kept) ?? []) set.set(model.fullKey(key), value);
  }
  const newIndex = new Map(kept.map((index, position) => [index, position]));
  return {
    set,
    renameTensor: (name) => renameTensor(name, newIndex),
    slices: slicesOf(model, rules, kept),
  };
}

function slicesOf(model: Model, rules: readonly Rule[], kept: readonly number[]) {
  const slice = { of: model.trunkBlocks, kept: kept.filter((index) => index < model.trunkBlocks) };
  const sliced = rules.flatMap((rule) => rule.sliced ?? []).filter(({ tensor }) => model.tensor(tensor));
  return new Map<string, TensorSlice>(sliced.map(({ tensor, axis }) => [tensor, { axis, ...slice }]));
}

/** `blk.<i>.…` are the tensors of block i; every other tensor belongs to the whole model. */
const BLOCK_TENSOR = /^blk\.(\d+)\./;

function renameTensor(name: string, newIndex: ReadonlyMap<number, number>): string | null {
  const match = BLOCK_TENSOR.exec(name);
  if (!match) return name;
  const index = newIndex.get(Number(match[1]));
  return index === undefined ? null : `blk.${index}.${name.slice(match[0].length)}`;
}

function interpret(file: GgufFile): { model: Model; entry: Entry; rules: readonly Rule[] } {
  refuseOtherFiles(file);
  const model = readModel(file);
  const entry = ARCHITECTURES.get(model.name);
  if (!entry) {
    throw new ArchitectureError(
      "ARCHITECTURE_UNKNOWN",
      `The architecture "${model.name}" has no rules in this version of lorp, so removing blocks could silently change the others; use a model of a listed architecture or a newer lorp.`,
    );
  }
  const rules = [...COMMON_RULES, ...entry.rules];
  for (const rule of rules) {
    const reason = rule.refusal?.(model) ?? lengthRefusal(model, rule) ?? sliceRefusal(model, rule);
    if (reason) throw refusal(model, reason);
  }
  return { model, entry, rules };
}

/** Files that hold something else than a whole language model say so in `general.type`. */
function refuseOtherFiles(file: GgufFile): void {
  const type = file.metadata.get("general.type")?.decode().value ?? "model";
  if (type !== "model") {
    throw new ArchitectureError(
      "ARCHITECTURE_REFUSED",
      `${file.paths[0]} holds a "${type}" and no model with blocks; give the language model's own file.`,
    );
  }
  if (file.tensors.length === 0) {
    throw new ArchitectureError(
      "ARCHITECTURE_REFUSED",
      `${file.paths[0]} has a vocabulary but no tensors, so there is nothing to prune; give the model's own file.`,
    );
  }
}

/** The numbers of trunk blocks with which every block computes what it does now. */
function allowedLengths(model: Model, { byLength }: Rule): readonly number[] | undefined {
  if (!byLength) return undefined;
  const now = byLength(model, model.trunkBlocks);
  const lengths = Array.from({ length: model.trunkBlocks }, (_, index) => index + 1);
  return lengths.filter((length) => byLength(model, length) === now);
}

function lengthRefusal(model: Model, rule: Rule): string | undefined {
  const allowed = allowedLengths(model, rule);
  return allowed?.length === 1 ? rule.name : undefined;
}

/** A slice must consist of whole blocks of the tensor's type. */
function sliceRefusal(model: Model, { sliced = [] }: Rule): string | undefined {
  const uneven = sliced.find(({ tensor, axis }) => {
    const info = model.tensor(tensor);
    const part = (info?.shape[axis] ?? 0) / model.trunkBlocks;
    const blockSize = axis === 0 && info ? (GGML_TYPES.get(info.type)?.blockSize ?? Number.NaN) : 1;
    return part % blockSize !== 0;
  });
  return uneven && `its tensor ${uneven.tensor} cannot be divided among ${model.trunkBlocks} blocks`;
}

function refusal(model: Model, reason: string): ArchitectureError {
  return new ArchitectureError(
    "ARCHITECTURE_REFUSED",
    `This ${model.name} model cannot be pruned because ${reason}; use a model of another architecture.`,
  );
}

function constraintsOf(model: Model, rules: readonly Rule[]): Constraints {
  return {
    fixed: rules.flatMap((rule) => (rule.fixed?.(model) ?? []).map((layer) => ({ layer, rule: rule.name }))),
    positional: rules.flatMap((rule) => {
      const kinds = rule.kinds?.(model);
      return kinds && new Set(kinds).size > 1 ? [{ rule: rule.name, kinds }] : [];
    }),
    lengths: rules.flatMap((rule) => {
      const allowed = allowedLengths(model, rule);
      return allowed && allowed.length < model.trunkBlocks ? [{ rule: rule.name, allowed }] : [];
    }),
  };
}

function checkKept(model: Model, rules: readonly Rule[], kept: readonly number[]): void {
  const ascending = kept.every((index, position) => index > (kept[position - 1] ?? -1));
  if (
    !ascending ||
    kept.length === 0 ||
    kept.some((index) => !Number.isInteger(index) || index >= model.blockCount)
  ) {
    throw new RangeError(`kept must list blocks of 0…${model.blockCount - 1} in ascending order`);
  }
  const { fixed, positional, lengths = [] } = constraintsOf(model, rules);
  const isKept = new Set(kept);
  const missing = fixed.find(({ layer }) => !isKept.has(layer));
  if (missing) {
    const holding = fixed.filter(({ layer }) => layer === missing.layer).map(({ rule }) => rule);
    throw broken(model, `block ${missing.layer} must stay: ${holding.join("; ")}`);
  }

  const trunk = kept.filter((index) => index < model.trunkBlocks);
  for (const { rule, kinds } of positional) {
    const moved = trunk.findIndex((index, position) => kinds[index] !== kinds[position]);
    if (moved >= 0) throw broken(model, `block ${trunk[moved]} would move to position ${moved}: ${rule}`);
  }
  const length = lengths.find(({ allowed }) => !allowed.includes(trunk.length));
  if (length) throw broken(model, `${trunk.length} blocks would be left: ${length.rule}`);
}

function broken(model: Model, what: string): ArchitectureError {
  return new ArchitectureError(
    "ARCHITECTURE_RULE",
    `These blocks of the ${model.name} model cannot be removed, for ${what}; let lorp choose the blocks or name others.`,
  );
}
