import { clusterMembers } from "../../analysis/redundancy.ts";
import { depthFigure } from "../figures/depth.ts";
import { clusterColour } from "../figures/svg.ts";
import { formatLayers } from "../format.ts";
import { html, type Markup, raw } from "../markup.ts";
import type { Measures, View } from "../view.ts";
import { meanSimilarity } from "./similarity.ts";

/** Every layer, kept or removed, and the clusters they belong to. */
export function depth({ analysis, plan, model }: View): Markup {
  const blocks = model.blockCount;
  // Layers that were not measured trail the others and belong to no cluster.
  const clusters = Array.from({ length: blocks }, (_, layer) => analysis?.clusters[layer]);
  const removals = plan?.removals.map(({ layer }) => layer) ?? [];
  const [introduction, description] =
    removals.length === 0
      ? ["Every layer of the model, first to last.", `${blocks} layers in a row.`]
      : [
          "Above, every layer of the model, first to last; the numbered ones go, in that order. Below, what is left, renumbered.",
          `${blocks} layers before, ${blocks - removals.length} after. Removed, in this order: ${removals.join(", ")}.`,
        ];
  const described = { id: "depth", title: "The model's layers", description };
  return html`<section>
    <h2>Depth</h2>
    <p>${introduction}${analysis ? " Colours are clusters." : ""}</p>
    <figure class="wide">${raw(depthFigure(described, { clusters, removals }))}</figure>
    ${analysis ? legend(analysis, removals) : undefined}
  </section>`;
}

function legend({ clusters, k, similarity }: Measures, removed: readonly number[]): Markup {
  const items = clusterMembers(clusters, k).map((members, cluster) => {
    const gone = members.filter((layer) => removed.includes(layer)).length;
    const facts = [
      `${members.length === 1 ? "layer" : "layers"} ${formatLayers(members)}`,
      ...(similarity && members.length > 1
        ? [`mean similarity ${meanSimilarity(similarity, members).toFixed(3)}`]
        : []),
      ...(gone > 0 ? [`${gone} removed`] : []),
    ];
    return html`<li><span class="swatch" style="background:${clusterColour(cluster)}"></span>
      <span><b>Cluster ${cluster}</b>: ${facts.join(", ")}</span></li>`;
  });
  return html`<ul class="legend">${items}</ul>`;
}
