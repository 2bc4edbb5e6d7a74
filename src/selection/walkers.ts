import type { Constraints } from "./types.ts";

/** A layer that is kept or goes. */
export interface Step {
  readonly layer: number;
  readonly keeps: boolean;
  /** Number of layers kept before it: the index that it would get. */
  readonly position: number;
}

/** A rule that follows a choice of layers from the first layer to the last and remembers one bit, false at first. */
export interface Walker {
  /** What it remembers after a step, or undefined when that step breaks the rule. */
  step(memory: boolean, step: Step): boolean | undefined;
  /** Whether the rule is kept once all layers are behind. */
  ends(memory: boolean): boolean;
}

const always = () => true;

/** The rules that depend on more than which single layers go, and on how many: all but `fixed` and `lengths`. */
export function walkersOf({ positional, oneOf = [], ends = [], shared = [] }: Constraints): Walker[] {
  return [
    ...positional.map(({ kinds }) => inPlace(kinds)),
    ...oneOf.map(({ layers }) => atLeastOne(layers)),
    ...ends.map(({ end, layers }) => (end === "first" ? firstOf(new Set(layers)) : lastOf(new Set(layers)))),
    ...shared.map(({ layer, by }) => together(layer, by)),
  ];
}

function inPlace(kinds: readonly number[]): Walker {
  return {
    step: (_, { layer, keeps, position }) => (keeps && kinds[layer] !== kinds[position] ? undefined : false),
    ends: always,
  };
}

/** Remembers whether one has been kept, while more may come. */
function atLeastOne(layers: readonly number[]): Walker {
  const members = new Set(layers);
  const last = Math.max(...layers);
  return {
    step(seen, { layer, keeps }) {
      const found = seen || (keeps && members.has(layer));
      if (layer !== last) return layer < last && found;
      return found ? false : undefined;
    },
    ends: always,
  };
}

function firstOf(layers: ReadonlySet<number>): Walker {
  return {
    step: (_, { layer, keeps, position }) =>
      keeps && position === 0 && !layers.has(layer) ? undefined : false,
    ends: always,
  };
}

/** Remembers whether the last layer kept is one that cannot be the last. */
function lastOf(layers: ReadonlySet<number>): Walker {
  return {
    step: (wrong, { layer, keeps }) => (keeps ? !layers.has(layer) : wrong),
    ends: (wrong) => !wrong,
  };
}

/** Remembers whether the layer that others depend on has gone, while they may come. */
function together(owner: number, by: readonly number[]): Walker {
  const users = new Set(by);
  const last = Math.max(...by);
  return {
    step(gone, { layer, keeps }) {
      if (layer === owner) return !keeps;
      if (gone && keeps && users.has(layer)) return undefined;
      return layer < last && gone;
    },
    ends: always,
  };
}
