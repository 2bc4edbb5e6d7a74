import { readFileSync } from "node:fs";
import { measureLayers } from "../../src/analysis/redundancy.ts";
import type { Analysis } from "../../src/documents/analysis.ts";
import type { Comparison } from "../../src/documents/comparison.ts";
import type { Plan } from "../../src/documents/plan.ts";
import type { Report } from "../../src/documents/report.ts";
import { verdictOf } from "../../src/evaluation/verdict.ts";
import type { Variant } from "../../src/report/frontier.ts";

/** Matrix and clusters of the trained example model, by the reference implementation. */
const trained: { similarity: number[][]; clusters: number[] } = JSON.parse(
  readFileSync(new URL("../data/trained-similarity.json", import.meta.url), "utf8"),
);

export const analysis20: Analysis = {
  schemaVersion: 1,
  lorpVersion: "0.1.0",
  model: {
    fingerprint: "xxh-5d1c7f0e9a3b42",
    architecture: "llama",
    name: "Books 20L",
    blockCount: 20,
    parameters: 12_900_000,
  },
  settings: {
    calibration: { name: "books-valid.txt", sha256: "9f".repeat(32) },
    sequences: 32,
    sequenceLength: 512,
    tokens: 16_384,
    seed: 0,
  },
  similarity: trained.similarity,
  rls: 0.4260137645604802,
  k: 4,
  clusters: trained.clusters,
  layers: measureLayers(trained.similarity, trained.clusters, 4),
  confidence: {
    method: "lorp",
    budget: 5,
    settled: false,
    agreement: { k: 1, clusters: 0.985, layers: 0.91 },
    rlsStandardError: 0.0031,
    entryStandardError: 0.0074,
    alternatives: [{ removedLayers: [3, 10, 11, 16, 17], share: 0.09 }],
  },
};

/** Eighty blocks whose likeness falls off with what lies between them; made up, but shaped like large models. */
export const analysis80: Analysis = (() => {
  const steps = Array.from({ length: 80 }, (_, i) =>
    i === 0 ? 1.6 : 0.012 + 0.09 * Math.sin(i * 0.19) ** 6 + (i > 74 ? 0.12 : 0),
  );
  const depth = steps.map((_, i) => steps.slice(0, i).reduce((sum, step) => sum + step, 0));
  const similarity = depth.map((a) =>
    depth.map((b) => Number(Math.exp(-(Math.abs(a - b) ** 0.9)).toFixed(9))),
  );
  const clusters = depth.map((_, i) => (i < 1 ? 0 : i < 26 ? 1 : i < 60 ? 2 : 3));
  return {
    ...analysis20,
    model: { ...analysis20.model, name: "Made-Up-70B-Instruct", blockCount: 80, parameters: 70_600_000_000 },
    similarity,
    clusters,
    rls: 0.897,
    k: 4,
    layers: measureLayers(similarity, clusters, 4),
  };
})();

export function plan(analysis: Analysis, removed: readonly number[]): Plan {
  const removals = removed.map((layer, index) => {
    const { cluster, redundancy } = analysis.layers[layer]!;
    const stage = index < analysis.k - 1 ? 1 : 2;
    const text =
      stage === 1
        ? `Layer ${layer} is the most redundant of cluster ${cluster}: its mean similarity to the other members is ${redundancy?.toFixed(4)}.`
        : `Cluster ${cluster} is the most alike of those that still have a candidate, and layer ${layer} is next in it.`;
    return { layer, cluster, score: redundancy, reason: `stage-${stage}`, text };
  });
  return {
    schemaVersion: 1,
    model: analysis.model,
    method: "lorp",
    budget: removed.length,
    removedLayers: removed.toSorted((a, b) => a - b),
    keptLayers: analysis.clusters.map((_, layer) => layer).filter((layer) => !removed.includes(layer)),
    removals,
    passedOver: [],
    rls: analysis.rls,
    k: analysis.k,
    seed: 0,
  };
}

function report(analysis: Analysis, removed: readonly number[], bytes: number): Report {
  const share = 1 - (removed.length / analysis.model.blockCount) * 0.9;
  const parameters = analysis.model.parameters!;
  return {
    schemaVersion: 1,
    lorpVersion: "0.1.0",
    command: `lorp prune examples/model-q8_0.gguf --remove ${removed.length} --report out.html`,
    input: { path: "examples/model-q8_0.gguf", bytes, parameters },
    output: {
      path: "examples/model-q8_0-lorp.gguf",
      bytes: Math.round(bytes * share),
      parameters: Math.round(parameters * share),
    },
    analysis,
    plan: plan(analysis, removed),
    perplexity: {
      original: 57.857,
      pruned: 64.213,
      ratio: 64.213 / 57.857,
      text: { name: "books-valid.txt", sha256: "9f".repeat(32) },
      sequences: 11,
      sequenceLength: 512,
    },
    divergence: { klDivergence: 0.10834, standardError: 0.0021, topAgreement: 0.8712 },
    settings: { threads: 2, gpu: "auto", method: "lorp", remove: removed.length },
  };
}

export const report20 = report(analysis20, [3, 10, 17, 16, 18], 13_793_792);
export const report80 = report(
  analysis80,
  [13, 43, 68, 44, 42, 45, 41, 46, 40, 14, 12, 15, 11, 47, 39, 48],
  42_520_000_000,
);

const METHODS: Readonly<Record<string, readonly number[]>> = {
  lorp: [60.3, 62.04, 63.19, 66.5, 70.2, 75.1, 83.0],
  shortgpt: [59.93, 60.12, 61.35, 62.8, 65.1, 69.9, 75.4],
  streamline: [59.93, 63.6, 63.61, 66.4, 71.5, 79.2, 88.1],
  random: [63.1, 68.0, 74.4, 81.9, 92.7, 108, 131],
};

export const comparison20: Comparison = {
  schemaVersion: 1,
  lorpVersion: "0.1.0",
  command: "lorp compare examples/model-q8_0.gguf --remove 2-8",
  model: analysis20.model,
  analysis: analysis20,
  texts: [
    {
      name: "books-valid.txt",
      sha256: "9f".repeat(32),
      sequences: 24,
      sequenceLength: 512,
      original: { perplexity: 57.86 },
    },
  ],
  candidates: Object.entries(METHODS).flatMap(([method, perplexities]) =>
    perplexities.map((perplexity, index) => ({
      method,
      budget: index + 2,
      removedLayers: [3, 4, 6, 10, 13, 14, 16, 17].slice(0, index + 2),
      measures: [{ perplexity, klDivergence: Math.log(perplexity / 57.86) }],
    })),
  ),
};

/** A variant that takes little but what is said. */
export function variant({
  loss,
  removed = [],
  prompt = 1,
  generation = 1,
  cacheBytes = 20_480,
  ...given
}: Pick<Variant, "type" | "bytes"> & {
  readonly loss: number;
  readonly removed?: readonly number[];
  readonly prompt?: number;
  readonly generation?: number;
  readonly cacheBytes?: number;
}): Variant {
  const distance = { klDivergence: loss, topAgreement: 1 - loss / 10 };
  return {
    ...given,
    removedLayers: removed,
    cacheBytes,
    speedup: { prompt, generation },
    timed: given.type !== null && removed.length === 0,
    measures: [{ perplexity: 57.86 * Math.exp(loss), ...distance, verdict: verdictOf(distance) }],
  };
}

/** A model in F16, without layers, in two types, and both. */
export const variants20: readonly Variant[] = [
  variant({ type: null, bytes: 25.8e6, loss: 0 }),
  variant({
    type: null,
    bytes: 24.6e6,
    loss: 0.021,
    removed: [6],
    prompt: 1.05,
    generation: 1.05,
    cacheBytes: 19_456,
  }),
  variant({
    type: null,
    bytes: 23.4e6,
    loss: 0.05,
    removed: [4, 6],
    prompt: 1.11,
    generation: 1.1,
    cacheBytes: 18_432,
  }),
  variant({ type: "Q8_0", bytes: 13.8e6, loss: 0.0002, prompt: 0.98, generation: 1.7 }),
  variant({ type: "Q4_K_M", bytes: 8.1e6, loss: 0.006, prompt: 0.9, generation: 2.6 }),
  variant({
    type: "Q4_K_M",
    bytes: 7.7e6,
    loss: 0.025,
    removed: [6],
    prompt: 0.95,
    generation: 2.73,
    cacheBytes: 19_456,
  }),
];

/** The same beside quantisation. */
export const typesComparison: Comparison = { ...comparison20, variants: variants20 };

const measuredSet = (
  removedLayers: readonly number[],
  proposedBy: readonly string[],
  perplexity: number,
) => ({
  removedLayers,
  proposedBy,
  complete: perplexity < 64,
  sequences: perplexity < 64 ? 11 : 4,
  loss: Math.log(perplexity),
  perplexity,
  difference: { mean: Math.log(perplexity / 62.1), standardError: perplexity === 62.1 ? null : 0.0021 },
});

/** A report with everything in it: measured candidates and a repair too. */
export const fullReport: Report = {
  ...report20,
  plan: {
    ...report20.plan,
    method: "auto",
    passedOver: [{ layer: 4, rule: "a rule of the architecture" }],
    measurements: {
      text: { name: "books-valid.txt", sha256: "9f".repeat(32) },
      sequences: 11,
      sequenceLength: 512,
      original: { loss: Math.log(57.86), perplexity: 57.86 },
      sets: [
        measuredSet([4, 6, 10, 13, 17], ["swap"], 62.1),
        measuredSet([4, 6, 10, 13, 16], ["shortgpt"], 62.8),
        ...Array.from({ length: 12 }, (_, i) =>
          measuredSet([3, 10, 16, 17, 18 - i], ["lorp", "swap"], 63 + i * 0.7),
        ),
      ],
    },
    repair: {
      kind: "bridge",
      calibration: { name: "books-train.txt", sha256: "9e".repeat(32) },
      tokens: 16384,
      heldBack: { divergence: 0.4623, sequences: 32 },
      tried: [
        {
          kind: "refit",
          gaps: [{ after: 3, ridge: 0.01, type: "Q8_0", features: 768, bytes: 0, divergence: 0.3811 }],
          divergence: 0.3811,
          standardError: 0.0119,
        },
        {
          kind: "bridge",
          gaps: [{ after: 3, ridge: 0.001, type: "Q8_0", features: 256, bytes: 69632, divergence: 0.3141 }],
          divergence: 0.3141,
          standardError: 0.0107,
        },
      ],
      refused: [],
    },
  },
};
