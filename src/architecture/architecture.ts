import type { Constraints } from "../documents/model.ts";
import { blockTensor, renumbered } from "../gguf/block-names.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import type { GgufFile, GgufValue } from "../gguf/types.ts";
import { violation } from "./constraints.ts";
import { ArchitectureError } from "./errors.ts";
import { countLoops, placeOf } from "./loops.ts";
import { type ModelMetadata, readModel } from "./metadata.ts";
import { COMMON_RULES, type Rule } from "./rules.ts";
import { ARCHITECTURES, type Entry } from "./table.ts";
import type { Architecture, Rewrite, StateTensors, TensorSlice } from "./types.ts";

/**
 * Reads from a file's metadata what its blocks are and what holds them in place.
 * @throws ArchitectureError when the architecture is unknown, or none of its blocks can be removed
 */
export function describeArchitecture(file: GgufFile): Architecture {
  return describe(interpret(file));
}

function describe({ model, entry, rules }: Interpreted): Architecture {
  return {
    name: model.name,
    blockCount: model.blockCount,
    analysedBlocks: model.trunkBlocks,
    states: statesOf(model, entry),
    constraints: constraintsOf(model, rules),
    independentBlocks: !rules.some((rule) => rule.crossesBlocks?.(model)),
  };
}

function statesOf(model: ModelMetadata, { states = {} }: Entry): StateTensors {
  const { streams = () => 1, emptyBlocks = () => [], ...names } = states;
  return {
    blockOutput: "l_out",
    blockInput: "",
    input: "",
    lastOutput: "",
    streamsInside: false,
    embeds: false,
    wholeSequences: false,
    ...names,
    streams: streams(model),
    loops: countLoops(model.loops),
    emptyBlocks: emptyBlocks(model),
  };
}

/** Where the graph of a model cut to these blocks shows the state. @param kept ascending indices */
export function statesAfter(states: StateTensors, kept: readonly number[]): StateTensors {
  const emptyBlocks = states.emptyBlocks.map((block) => kept.indexOf(block)).filter((block) => block >= 0);
  return { ...states, emptyBlocks };
}

/**
 * What has to change in the file when only `kept` stay, so that each of them computes what it did.
 * @param kept ascending indices of the kept blocks among all of `block_count`, prediction blocks included
 * @throws ArchitectureError as `describeArchitecture`, and naming the rule that this removal breaks
 */
export function planRewrite(file: GgufFile, kept: readonly number[]): Rewrite {
  const interpreted = interpret(file);
  checkKept(interpreted.model, interpreted.rules, kept);
  return rewriteFor(interpreted, kept);
}

/** As the functions above, whatever the rules refuse: to see whether they are right. @internal */
export const forced = {
  describeArchitecture: (file: GgufFile): Architecture => describe(interpretAny(file)),
  planRewrite: (file: GgufFile, kept: readonly number[]): Rewrite => rewriteFor(interpretAny(file), kept),
};

function rewriteFor({ model, rules }: Interpreted, kept: readonly number[]): Rewrite {
  const set = new Map<string, GgufValue | undefined>();
  for (const rule of rules) {
    for (const [key, value] of rule.set?.(model, kept) ?? []) set.set(model.fullKey(key), value);
  }
  const newIndex = new Map(kept.map((index, position) => [index, position]));
  const newName = newNameOf(model, rules, kept);
  if (newName) set.set("general.architecture", { type: "string", value: newName });
  return {
    set,
    renameKey: (key) =>
      newName && key.startsWith(`${model.name}.`) ? newName + key.slice(model.name.length) : key,
    scales: scalesOf(model, rules, kept),
    renameTensor: (name) =>
      renumbered(name, (block) => {
        const { layer, stack } = placeOf(model.loops, block);
        const index = newIndex.get(layer);
        return index === undefined ? undefined : index + stack * kept.length;
      }),
    slices: slicesOf(model, rules, kept),
  };
}

function newNameOf(
  model: ModelMetadata,
  rules: readonly Rule[],
  kept: readonly number[],
): string | undefined {
  const blocks = kept.filter((index) => index < model.trunkBlocks).length;
  for (const { runsAs } of rules) {
    const name = runsAs?.(model, blocks);
    if (name !== undefined) return name;
  }
  return undefined;
}

/** @throws ArchitectureError when a block has none of the tensors to scale */
function scalesOf(
  model: ModelMetadata,
  rules: readonly Rule[],
  kept: readonly number[],
): Map<string, number> {
  const scales = new Map<string, number>();
  for (const rule of rules) {
    const scaling = rule.scaled?.(model, kept);
    if (!scaling) continue;
    for (const block of kept.filter((index) => index < model.trunkBlocks)) {
      const groups = scaling.tensors.map((names) =>
        names.map((name) => blockTensor(block, name)).filter((name) => model.tensor(name)),
      );
      const present = groups.find((names) => names.length > 0);
      if (!present) throw broken(model, `layer ${block} has no tensor to make up for it in: ${rule.name}`);
      for (const name of present) scales.set(name, (scales.get(name) ?? 1) * scaling.factor);
    }
  }
  return scales;
}

function slicesOf(model: ModelMetadata, rules: readonly Rule[], kept: readonly number[]) {
  const slice = { of: model.trunkBlocks, kept: kept.filter((index) => index < model.trunkBlocks) };
  const sliced = rules.flatMap((rule) => rule.sliced ?? []).filter(({ tensor }) => model.tensor(tensor));
  return new Map<string, TensorSlice>(sliced.map(({ tensor, axis }) => [tensor, { axis, ...slice }]));
}

interface Interpreted {
  readonly model: ModelMetadata;
  readonly entry: Entry;
  readonly rules: readonly Rule[];
}

function interpret(file: GgufFile): Interpreted {
  const interpreted = interpretAny(file);
  const { model, rules } = interpreted;
  for (const rule of rules) {
    const reason = rule.refusal?.(model) ?? lengthRefusal(model, rule) ?? sliceRefusal(model, rule);
    if (reason) throw refusal(model, reason);
  }
  return interpreted;
}

function interpretAny(file: GgufFile): Interpreted {
  refuseOtherFiles(file);
  const model = readModel(file);
  const entry = ARCHITECTURES.get(model.name);
  if (!entry) {
    throw new ArchitectureError(
      "ARCHITECTURE_UNKNOWN",
      `The architecture "${model.name}" has no rules in this version of lorp, so removing layers could silently change the others; use a model of a listed architecture or a newer lorp.`,
    );
  }
  return { model, entry, rules: [...COMMON_RULES, ...entry.rules] };
}

/** Files that hold something else than a whole language model say so in `general.type`. */
function refuseOtherFiles(file: GgufFile): void {
  const type = file.metadata.get("general.type")?.decode().value ?? "model";
  if (type !== "model") {
    throw new ArchitectureError(
      "ARCHITECTURE_REFUSED",
      `${file.paths[0]} holds a "${type}" and no model with layers; give the language model's own file.`,
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
function allowedLengths(model: ModelMetadata, { byLength }: Rule): readonly number[] | undefined {
  if (!byLength) return undefined;
  const now = byLength(model, model.trunkBlocks);
  const lengths = Array.from({ length: model.trunkBlocks }, (_, index) => index + 1);
  return lengths.filter((length) => byLength(model, length) === now);
}

function lengthRefusal(model: ModelMetadata, rule: Rule): string | undefined {
  const allowed = allowedLengths(model, rule);
  return allowed?.length === 1 ? rule.name : undefined;
}

/** A slice must consist of whole blocks of the tensor's type. */
function sliceRefusal(model: ModelMetadata, { sliced = [] }: Rule): string | undefined {
  const uneven = sliced.find(({ tensor, axis }) => {
    const info = model.tensor(tensor);
    const part = (info?.shape[axis] ?? 0) / model.trunkBlocks;
    const blockSize = axis === 0 && info ? (GGML_TYPES.get(info.type)?.blockSize ?? Number.NaN) : 1;
    return part % blockSize !== 0;
  });
  return uneven && `its tensor ${uneven.tensor} cannot be divided among ${model.trunkBlocks} layers`;
}

function refusal(model: ModelMetadata, reason: string): ArchitectureError {
  return new ArchitectureError(
    "ARCHITECTURE_REFUSED",
    `This ${model.name} model cannot be pruned because ${reason}; use a model of another architecture.`,
  );
}

function constraintsOf(model: ModelMetadata, rules: readonly Rule[]): Constraints {
  /** What a facet of the rules says, each with its rule's name. */
  const named = <Facet extends object>(facet: (rule: Rule) => readonly Facet[]) =>
    rules.flatMap((rule) => facet(rule).map((one) => ({ rule: rule.name, ...one })));
  return {
    fixed: named((rule) => (rule.fixed?.(model) ?? []).map((layer) => ({ layer }))),
    positional: named((rule) => {
      const kinds = rule.kinds?.(model);
      return kinds && new Set(kinds).size > 1 ? [{ kinds }] : [];
    }),
    lengths: named((rule) => {
      const allowed = allowedLengths(model, rule);
      return allowed && allowed.length < model.trunkBlocks ? [{ allowed }] : [];
    }),
    oneOf: named((rule) =>
      (rule.oneOf?.(model) ?? []).filter((layers) => layers.length > 0).map((layers) => ({ layers })),
    ),
    ends: named((rule) => rule.ends?.(model) ?? []),
    shared: named((rule) => (rule.shared?.(model) ?? []).filter(({ by }) => by.length > 0)),
  };
}

function checkKept(model: ModelMetadata, rules: readonly Rule[], kept: readonly number[]): void {
  const ascending = kept.every((index, position) => index > (kept[position - 1] ?? -1));
  if (
    !ascending ||
    kept.length === 0 ||
    kept.some((index) => !Number.isInteger(index) || index >= model.blockCount)
  ) {
    throw new RangeError(`kept must list layers of 0…${model.blockCount - 1} in ascending order`);
  }
  const broke = violation(constraintsOf(model, rules), kept, model.trunkBlocks);
  if (broke) throw broken(model, `${broke.what}: ${broke.rule}`);
}

function broken(model: ModelMetadata, what: string): ArchitectureError {
  return new ArchitectureError(
    "ARCHITECTURE_RULE",
    `These layers of the ${model.name} model cannot be removed, for ${what}; let lorp choose the layers or name others.`,
  );
}
