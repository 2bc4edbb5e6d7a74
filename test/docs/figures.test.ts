import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { completeAnalysis } from "../../src/analysis/complete.ts";
import { clusterMembers } from "../../src/analysis/redundancy.ts";
import { meanAmong, similarityOf } from "../../src/analysis/similarity.ts";
import { analyze } from "../../src/api/analyze.ts";
import { plan } from "../../src/api/plan.ts";
import { readAnalysis } from "../../src/documents/files.ts";
import { formatLayers } from "../../src/report/format.ts";
import { renderHtml } from "../../src/report/html.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { standaloneFigure } from "../support/standalone-figure.ts";

const analysis = completeAnalysis(await readAnalysis("examples/books-20l.analysis.json"));
const { similarity, clusters, k, layers } = analysis;
const removal = plan(analysis, { remove: 5 });
const members = clusterMembers(clusters, k);

// `vitest -u` draws them anew after the report has changed.
test.each(["matrix", "distance", "locality", "depth"])(
  "the figure %s in the documentation is the report's",
  async (name) => {
    const page = await renderHtml({
      schemaVersion: 1,
      input: { path: EXAMPLE_MODEL, bytes: 0 },
      output: null,
      analysis,
      plan: removal,
      perplexity: null,
      settings: {},
    });
    const figure = standaloneFigure(page, name);
    expect(figure.length).toBeLessThan(100_000);
    await expect(figure).toMatchFileSnapshot(`../../docs/figures/${name}.svg`);
  },
);

test("lorp measures and decides today what the example's Analysis says", async () => {
  const measured = await analyze(EXAMPLE_MODEL, { gpu: "off", cache: false, remove: 5 });
  expect(measured.settings.sequences).toBe(analysis.settings.sequences);
  expect(measured.clusters).toEqual(clusters);
  expect(plan(measured, { remove: 5 }).removals.map(({ layer }) => layer)).toEqual(
    removal.removals.map(({ layer }) => layer),
  );
  measured.similarity.forEach((row, i) => {
    row.forEach((value, j) => {
      expect(Math.abs(value - similarityOf(similarity, i, j))).toBeLessThan(1e-3);
    });
  });
});

test("the numbers of the walk through LoRP are the example's", () => {
  const page = readFileSync("docs/lorp.md", "utf8").replaceAll(/\s+/g, " ");
  const four = (value: number) => value.toFixed(4);
  const inside = (layers: readonly number[]) =>
    layers.length < 2 ? "–" : four(meanAmong(similarity, layers));
  const without = (removed: readonly number[]) =>
    members.slice(1).map((all) => inside(all.filter((layer) => !removed.includes(layer))));
  const queue = (all: readonly number[]) =>
    all
      .filter((layer) => layer !== 0 && layer !== 19)
      .map((layer) => layers[layer]!)
      .sort((a, b) => b.redundancy! - a.redundancy!)
      .map(({ layer, redundancy }) => `${layer} (${four(redundancy!)})`)
      .join(", ");
  const overall = meanAmong(similarity, [...similarity.keys()]);
  const order = removal.removals.map(({ layer }) => layer);
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  for (const fact of [
    `measured on ${analysis.settings.tokens!.toLocaleString("en")} tokens`,
    `3 and 4 have nearly the same input (S = ${four(similarityOf(similarity, 3, 4))})`,
    `layers 1 and 19 only a related one (S = ${four(similarityOf(similarity, 1, 19))})`,
    `(S = ${four(similarityOf(similarity, 0, 1))} with layer 1)`,
    `the mean is ${four(overall)}, and RLS = −log₂ ${four(overall)} = ${analysis.rls!.toFixed(3)}`,
    `gets K = ${k}`,
    ...members.map((all, cluster) => row([cluster, formatLayers(all), inside(all)])),
    ...members.slice(1).map((all, index) => row([index + 1, queue(all)])),
    `layers ${order[0]}, ${order[1]} and ${order[2]}.`,
    `| ${order[3]}, next of cluster ${removal.removals[3]!.cluster} |`,
    `| ${order[4]}, next of cluster ${removal.removals[4]!.cluster} |`,
    `layers ${removal.removedLayers.slice(0, 4).join(", ")} and ${removal.removedLayers[4]} go`,
    `in ${100 * analysis.confidence!.agreement.layers} % of resamples`,
    `RLS of ${four(analysis.confidence!.rlsStandardError)}`,
  ]) {
    expect(page).toContain(fact);
  }
  const plain = page.replaceAll("**", "");
  expect(plain).toContain(row(["after stage 1", ...without(order.slice(0, 3))]).slice(0, -1));
  expect(plain).toContain(row(["then", ...without(order.slice(0, 4))]).slice(0, -1));
});
