import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeArchitecture, planRewrite } from "../../src/architecture/architecture.ts";
import { ArchitectureError } from "../../src/architecture/errors.ts";
import type { Architecture } from "../../src/architecture/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { RuntimeError } from "../../src/model/errors.ts";
import { type Model, openModel, type Session } from "../../src/model/model.ts";
import { applyPlan } from "../../src/surgery/apply.ts";
import { architectureOf, buildFixture } from "./architectures.ts";
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
  /**
   * Of models whose blocks take nothing from earlier ones but the state: the largest difference that it makes to a
   * token's log-probability whether a score starts at the first block that differs from the score before it.
   */
  readonly resumption?: number;
}

/**
 * Cuts a fixture in several random legal ways and compares each result with llama.cpp skipping the same blocks.
 * @param omitted a metadata key that surgery shall not set
 */
export async function judge(
  fixture: string,
  folder: string,
  cutCount: number,
  omitted?: string,
): Promise<Verdict> {
  const architecture = architectureOf(fixture);
  const path = join(folder, `${fixture}.gguf`);
  await writeFile(path, buildFixture(fixture));
  const file = await readGguf(path);
  let description: Architecture;
  try {
    description = describeArchitecture(file);
  } catch (error) {
    if (error instanceof ArchitectureError) return { fixture, architecture, refusal: error.message };
    throw error;
  }
  const random = randomNumbers(7);
  const removals = Array.from({ length: cutCount }, () => randomRemoval(description, random));
  const original = await openForLogits(path, description);
  try {
    const cosines = await original.session.sumCosines(tokensOf(original.model));
    const whole = await original.logits();
    const cuts: Cut[] = [];
    for (const removed of removals) {
      const skipped = await original.logits(removed);
      const output = join(folder, `${fixture}-pruned.gguf`);
      const pruned = await prunedLogits(file, description, removed, output, omitted);
      cuts.push({ removed, error: normalisedError(skipped, pruned), effect: normalisedError(whole, pruned) });
    }
    return {
      fixture,
      architecture,
      description,
      analysed: cosines.every(Number.isFinite),
      cuts,
      ...(description.constraints.fixed.length === 0 && {
        resumption: await resumptionError(original, description, removals),
      }),
    };
  } finally {
    original.close();
    await rm(path);
  }
}

async function resumptionError(
  { model, session }: Opened,
  { states, blockCount }: Architecture,
  removals: readonly (readonly number[])[],
): Promise<number> {
  const keeping = model.openSession({ sequenceLength: TOKENS, states, keptBytes: 1e9 });
  try {
    const tokens = tokensOf(model);
    let largest = 0;
    // The last ones share much with those before them.
    for (const skip of [[], ...removals, [blockCount - 1], [blockCount - 2]]) {
      const expected = (await session.score(tokens, { skip })).logProb;
      const { logProb } = await keeping.score(tokens, { skip });
      largest = Math.max(largest, ...logProb.map((value, token) => Math.abs(value - expected[token]!)));
    }
    return largest;
  } finally {
    keeping.close();
  }
}

/** The largest error when surgery does not set a key, infinite when llama.cpp cannot even load the result. */
export async function errorWithout(fixture: string, folder: string, key: string): Promise<number> {
  try {
    const { cuts = [] } = await judge(fixture, folder, 3, key);
    return Math.max(...cuts.map(({ error }) => error));
  } catch (error) {
    if (error instanceof RuntimeError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** The rules that hold some block of a described model in place, or restrict which may go. */
export function rulesOf({ constraints: { fixed, positional, lengths = [] } }: Architecture): string[] {
  return [...new Set([...positional, ...lengths, ...fixed].map(({ rule }) => rule))];
}

/** A random legal, non-empty set of blocks to remove, every block before a random one being kept. */
function randomRemoval({ analysedBlocks, constraints }: Architecture, random: () => number): number[] {
  const fixed = new Set(constraints.fixed.map(({ layer }) => layer));
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const removed: number[] = [];
    const first = random() * analysedBlocks;
    const legal = Array.from({ length: analysedBlocks }, (_, layer) => layer).every((layer) => {
      const fits = constraints.positional.every(
        ({ kinds }) => kinds[layer] === kinds[layer - removed.length],
      );
      if (fits && (fixed.has(layer) || layer < first || random() > 0.4)) return true;
      removed.push(layer);
      return !fixed.has(layer);
    });
    const kept = analysedBlocks - removed.length;
    const lengthFits = (constraints.lengths ?? []).every(({ allowed }) => allowed.includes(kept));
    if (legal && lengthFits && removed.length > 0 && kept > 0) return removed;
  }
  throw new Error("no legal set of blocks was found");
}

export function keptBlocks({ blockCount }: Architecture, removed: readonly number[]): number[] {
  return Array.from({ length: blockCount }, (_, layer) => layer).filter((layer) => !removed.includes(layer));
}

async function prunedLogits(
  file: GgufFile,
  description: Architecture,
  removed: readonly number[],
  output: string,
  omitted: string | undefined,
) {
  const planned = planRewrite(file, keptBlocks(description, removed));
  const set = new Map([...planned.set].filter(([key]) => key !== omitted));
  const rewrite = { ...planned, set };
  await applyPlan({ model: file, rewrite, provenance: new Map(), output, force: true });
  const pruned = await openForLogits(output, describeArchitecture(await readGguf(output)));
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
  logits(skip?: readonly number[]): Promise<Float32Array>;
  close(): void;
}

async function openForLogits(path: string, { states }: Architecture): Promise<Opened> {
  const model = await openModel(path, { gpu: "off", threads: 1 });
  const session = model.openSession({ sequenceLength: TOKENS, states });
  return {
    model,
    session,
    logits: (skip) => session.logits(tokensOf(model), skip),
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
