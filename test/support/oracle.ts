import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  describeArchitecture,
  forced,
  planRewrite,
  statesAfter,
} from "../../src/architecture/architecture.ts";
import { violation } from "../../src/architecture/constraints.ts";
import { ArchitectureError } from "../../src/architecture/errors.ts";
import type { Architecture } from "../../src/architecture/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { RuntimeError } from "../../src/model/errors.ts";
import { type Model, openModel } from "../../src/model/model.ts";
import type { Session } from "../../src/model/session.ts";
import { applyPlan } from "../../src/surgery/apply.ts";
import { multiplyTensors } from "../../src/surgery/multiply.ts";
import { architectureOf, buildFixture } from "./architectures.ts";
import { embeddingNorms, inputError } from "./embedding.ts";
import { randomNumbers } from "./gguf.ts";

/** Longer than the sliding windows of the fixtures (16) and than deepseek4's longest compression (128). */
export const TOKENS = 160;

/** How one removal fared. */
export interface Cut {
  readonly removed: readonly number[];
  /** Normalised mean squared error between the pruned file's logits and those of the original with the blocks skipped. */
  readonly error: number;
  /** The same between the pruned file's logits and those of the whole original: how much the removal matters at all. */
  readonly effect: number;
  /** Why llama.cpp does not run the pruned file; the error is infinite then. */
  readonly failure?: string;
  /** The rule that it breaks. */
  readonly rule?: string;
}

export interface Verdict {
  readonly fixture: string;
  readonly architecture: string;
  /** Why the model was refused; nothing else is known of it then. */
  readonly refusal?: string;
  readonly description?: Architecture;
  /** Whether llama.cpp showed every block's input. */
  readonly analysed?: boolean;
  readonly cuts?: readonly Cut[];
  /** How far block 0's input is from the tokens' embeddings as the file alone gives them, relatively. */
  readonly inputError?: number;
  /**
   * Of models whose blocks take nothing from earlier ones but the state: the largest difference that it makes to a
   * token's log-probability whether a score starts at the first block that differs from the score before it.
   */
  readonly resumption?: number;
}

export interface JudgeOptions {
  readonly seed?: number;
  /** A metadata key that surgery shall not set. */
  readonly omitted?: string;
  /** Cut in ways that break one rule, of these if they are named, instead, as if there were none. */
  readonly illegal?: boolean | readonly string[];
  /** Cut a model that is refused as a whole. */
  readonly force?: boolean;
}

/** Cuts a fixture in several random legal ways and compares each result with llama.cpp skipping the same blocks. */
export async function judge(
  fixture: string,
  folder: string,
  cutCount: number,
  options: JudgeOptions = {},
): Promise<Verdict> {
  const architecture = architectureOf(fixture);
  const path = join(folder, `${fixture}.gguf`);
  await writeFile(path, buildFixture(fixture));
  const file = await readGguf(path);
  let description: Architecture;
  try {
    description = (options.force ? forced : { describeArchitecture }).describeArchitecture(file);
  } catch (error) {
    if (error instanceof ArchitectureError) return { fixture, architecture, refusal: error.message };
    throw error;
  }
  const random = randomNumbers(options.seed ?? 7);
  const { illegal, force } = options;
  const draw = () => {
    if (illegal) return illegalRemoval(description, random, illegal);
    const legal = randomRemoval(description, random);
    return force ? (legal ?? illegalRemoval(description, random, true)) : legal;
  };
  const removals = Array.from({ length: cutCount }, draw).filter((removed) => removed !== undefined);
  let original = await openForLogits(path, description);
  try {
    const tokens = tokensOf(original.model);
    const cosines = await original.session.sumCosines(tokens);
    const norms = await original.session.stateNorms(tokens);
    const whole = await original.logits();
    const cuts: Cut[] = [];
    for (const [index, removed] of removals.entries()) {
      // Every other time, the blocks that predict ahead go too.
      const kept = keptBlocks(description, removed).filter(
        (block) => index % 2 === 0 || block < description.analysedBlocks,
      );
      const skipped = () => original.logits(removed);
      const output = join(folder, `${fixture}-pruned.gguf`);
      const cut = await compare(removed, whole, skipped, () =>
        prunedLogits(file, description, kept, output, options),
      );
      cuts.push({ ...cut, ...(illegal && { rule: brokenRule(description, removed)! }) });
      // llama.cpp may have ended over it, and with it the original.
      if (cut.failure === undefined) continue;
      original.close();
      original = await openForLogits(path, description);
    }
    return {
      fixture,
      architecture,
      description,
      analysed: cosines.every(Number.isFinite),
      inputError: inputError(norms, embeddingNorms(file, architecture, tokens)),
      cuts,
      ...(description.independentBlocks && {
        resumption: await resumptionError(original, description, removals),
      }),
    };
  } finally {
    original.close();
    await rm(path);
  }
}

/**
 * @param skip the original's logits with the blocks skipped
 * @param cut the pruned file's
 */
async function compare(
  removed: readonly number[],
  whole: Float32Array,
  skip: () => Promise<Float32Array>,
  cut: () => Promise<Float32Array>,
): Promise<Cut> {
  try {
    const skipped = await skip();
    const pruned = await cut();
    return { removed, error: normalisedError(skipped, pruned), effect: normalisedError(whole, pruned) };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return { removed, error: Number.POSITIVE_INFINITY, effect: 0, failure: error.message };
  }
}

async function resumptionError(
  { model, session }: Opened,
  { states, analysedBlocks }: Architecture,
  removals: readonly (readonly number[])[],
): Promise<number> {
  const keeping = model.openSession({ sequenceLength: TOKENS, states, keptBytes: 1e9 });
  try {
    const tokens = tokensOf(model);
    let largest = 0;
    // The last ones share much with those before them.
    for (const skip of [[], ...removals, [analysedBlocks - 1], [analysedBlocks - 2]]) {
      const expected = (await session.score(tokens, { skip })).logProb;
      const { logProb } = await keeping.score(tokens, { skip });
      largest = Math.max(largest, ...logProb.map((value, token) => Math.abs(value - expected[token]!)));
    }
    return largest;
  } finally {
    keeping.close();
  }
}

/** The largest error when surgery does not set a key. */
export async function errorWithout(fixture: string, folder: string, key: string): Promise<number> {
  const { cuts = [] } = await judge(fixture, folder, 10, { omitted: key });
  return Math.max(...cuts.map(({ error }) => error));
}

/** The rules that hold some block of a described model in place, or restrict which may go. */
export function rulesOf({ constraints }: Architecture): string[] {
  const { fixed, positional, lengths = [], oneOf = [], ends = [], shared = [] } = constraints;
  const all = [...positional, ...lengths, ...fixed, ...oneOf, ...ends, ...shared];
  return [...new Set(all.map(({ rule }) => rule))];
}

/**
 * A random legal, non-empty set of blocks to remove, every block before a random one being kept. What is drawn is as
 * often few blocks as many.
 */
export function randomRemoval(
  { analysedBlocks, constraints }: Architecture,
  random: () => number,
): number[] | undefined {
  const fixed = new Set(constraints.fixed.map(({ layer }) => layer));
  const blocks = Array.from({ length: analysedBlocks }, (_, layer) => layer);
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const first = random() ** 2 * analysedBlocks;
    const share = random();
    const removed: number[] = [];
    for (const layer of blocks) {
      const fits = constraints.positional.every(
        ({ kinds }) => kinds[layer] === kinds[layer - removed.length],
      );
      if (!fixed.has(layer) && (!fits || (layer >= first && random() < share))) removed.push(layer);
    }
    const kept = blocks.filter((layer) => !removed.includes(layer));
    const legal = kept.length > 0 && violation(constraints, kept, analysedBlocks) === undefined;
    if (legal && removed.length > 0) return removed;
  }
  return undefined;
}

/** The one rule that a set breaks; undefined where it breaks none or several. */
function brokenRule(description: Architecture, removed: readonly number[]): string | undefined {
  const { constraints, analysedBlocks } = description;
  const kept = keptBlocks(description, removed);
  const rule = violation(constraints, kept, analysedBlocks)?.rule;
  const others = <One extends { readonly rule: string }>(all: readonly One[] = []) =>
    all.filter((one) => one.rule !== rule);
  const { fixed, positional, lengths, oneOf, ends, shared } = constraints;
  const without = {
    fixed: others(fixed),
    positional: others(positional),
    lengths: others(lengths),
    oneOf: others(oneOf),
    ends: others(ends),
    shared: others(shared),
  };
  return violation(without, kept, analysedBlocks) === undefined ? rule : undefined;
}

/** A random set that breaks one rule, mostly a small one. */
function illegalRemoval(
  description: Architecture,
  random: () => number,
  rules: true | readonly string[],
): number[] | undefined {
  const blocks = Array.from({ length: description.analysedBlocks }, (_, layer) => layer);
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const share = random() ** 2;
    const removed = blocks.filter(() => random() < share);
    const some = removed.length > 0 && removed.length < blocks.length;
    const rule = some ? brokenRule(description, removed) : undefined;
    if (rule !== undefined && (rules === true || rules.includes(rule))) return removed;
  }
  return undefined;
}

export function keptBlocks({ blockCount }: Architecture, removed: readonly number[]): number[] {
  return Array.from({ length: blockCount }, (_, layer) => layer).filter((layer) => !removed.includes(layer));
}

async function prunedLogits(
  file: GgufFile,
  description: Architecture,
  kept: readonly number[],
  output: string,
  { omitted, illegal = false, force = false }: JudgeOptions,
) {
  const planned = illegal || force ? forced.planRewrite(file, kept) : planRewrite(file, kept);
  const set = new Map([...planned.set].filter(([key]) => key !== omitted));
  const rewrite = { ...planned, set };
  const changes = { transforms: await multiplyTensors(file, rewrite.scales) };
  await applyPlan({ model: file, rewrite, provenance: new Map(), output, changes, force: true });
  const pruned = await openForLogits(output, { states: statesAfter(description.states, kept) });
  try {
    return await pruned.logits();
  } finally {
    pruned.close();
    await rm(output);
  }
}

interface Opened {
  readonly model: Model;
  readonly session: Session;
  /** What the model computes at every position: logits, or embeddings. */
  logits(skip?: readonly number[]): Promise<Float32Array>;
  close(): void;
}

async function openForLogits(path: string, { states }: Pick<Architecture, "states">): Promise<Opened> {
  const model = await openModel(path, { gpu: "off", threads: 1 });
  const session = model.openSession({ sequenceLength: TOKENS, states });
  return {
    model,
    session,
    logits: (skip) =>
      states.embeds ? session.embeddings(tokensOf(model), skip) : session.logits(tokensOf(model), skip),
    close: () => {
      session.close();
      model.close();
    },
  };
}

function tokensOf(model: Model): Int32Array {
  const random = randomNumbers(3);
  return Int32Array.from({ length: TOKENS }, () => Math.floor(random() * model.info.vocabularySize));
}

/** Σ (a−b)² / Σ a², without logits that stand for "impossible" (chameleon's image tokens). */
function normalisedError(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new Error("the logits differ in number");
  let difference = 0;
  let size = 0;
  for (const [i, x] of a.entries()) {
    if (Math.abs(x) > 1e30 && x === b[i]) continue;
    difference += (x - b[i]!) ** 2;
    size += x ** 2;
  }
  return difference / size;
}
