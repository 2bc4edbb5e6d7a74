import type { SimilarityMatrix } from "../../documents/analysis.ts";
import { distanceFigure } from "../figures/distance.ts";
import { localityFigure, PUBLISHED_RLS } from "../figures/locality.ts";
import { html, type Markup, raw } from "../markup.ts";
import type { View } from "../view.ts";
import { meanSimilarity } from "./similarity.ts";

/** How far across the model layers resemble each other, and how that compares with published models. */
export function locality({ analysis, title }: View): Markup | undefined {
  if (!analysis) return undefined;
  const { similarity, rls, k } = analysis;
  return html`<section>
    <h2>Locality</h2>
    <p>A low score means that layers resemble each other far across the model, a high one that each resembles its
      neighbours only. The score decides the number of clusters, unless one was asked for.</p>
    <div class="pair">
      ${similarity && similarity.length > 2 ? byDistance(similarity) : undefined}
      ${
        rls === null
          ? html`<p>The mean similarity is not positive, so the RLS has no finite value; the model counts as local.</p>`
          : amongPublished(title, rls, k)
      }
    </div>
  </section>`;
}

function byDistance(similarity: SimilarityMatrix): Markup {
  const overall = meanSimilarity(similarity);
  const described = {
    id: "distance",
    title: "Similarity by distance",
    description: `Similarity of every two layers by the distance between them; the mean over all pairs is ${overall.toFixed(3)}.`,
  };
  return html`<figure>
    <figcaption>Similarity by distance: every pair of layers, and the mean</figcaption>
    ${raw(distanceFigure(described, similarity, overall))}</figure>`;
}

function amongPublished(title: string, rls: number, k: number): Markup {
  const published = PUBLISHED_RLS.map((model) => `${model.name} ${model.rls.toFixed(3)}`).join(", ");
  const described = {
    id: "locality",
    title: "RLS among published models",
    description: `${title}: ${rls.toFixed(3)}, with ${k} clusters. Published: ${published}.`,
  };
  return html`<figure>
    <figcaption>RLS = −log₂ of the mean of all pairs, among published models</figcaption>
    ${raw(localityFigure(described, title, rls))}</figure>`;
}
