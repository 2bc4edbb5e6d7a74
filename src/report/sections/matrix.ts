import { MATRIX_MARGIN, MATRIX_SIDE, matrixFigure } from "../figures/matrix.ts";
import { html, type Markup, raw } from "../markup.ts";
import type { View } from "../view.ts";
import { meanSimilarity } from "./similarity.ts";

/** The similarity matrix, its scale, and the place where the page's script shows the value of a cell. */
export function matrix({ analysis, plan }: View): Markup | undefined {
  const similarity = analysis?.similarity;
  if (similarity === undefined) return undefined;
  const { clusters, k } = analysis!;
  // Prediction layers are not measured.
  const removed = (plan?.removedLayers ?? []).filter((layer) => layer < similarity.length);
  const described = {
    id: "matrix",
    title: "Similarity matrix",
    description: `Cosine similarity of the inputs of ${similarity.length} layers, as a heat map with ${k} clusters outlined.`,
  };
  const data = {
    layers: similarity.length,
    margin: MATRIX_MARGIN,
    cell: (MATRIX_SIDE - MATRIX_MARGIN) / similarity.length,
    clusters,
    removed,
    // Row after row, each from the diagonal on, in millionths.
    similarity: similarity.flatMap((row, i) => row.slice(i).map((value) => Math.round(value * 1e6))),
  };
  return html`<section>
    <h2>Similarity</h2>
    <p>How alike the inputs of two layers are, averaged over tokens. A solid square along the diagonal is a stretch of
      depth in which little changes: that is where LoRP looks for layers to remove.</p>
    <div class="matrix">
      <figure>
        <div id="matrix-cells" tabindex="0" role="application" aria-label="Similarity matrix: values by arrow keys"
          aria-describedby="matrix-help">${raw(matrixFigure(described, { similarity, clusters, removed }))}</div>
      </figure>
      <aside aria-label="Value and legend">
        <output id="matrix-value" for="matrix-cells">
          <b>${meanSimilarity(similarity).toFixed(6)}</b><span>mean of all pairs of layers</span>
        </output>
        <div class="scale" aria-hidden="true"><i id="matrix-mark" hidden></i></div>
        <div class="ends" aria-hidden="true"><span>0 unlike</span><span>1 alike</span></div>
        <ul class="plain">
          <li><span class="outline"></span> cluster</li>
          ${removed.length > 0 ? html`<li><span class="cross" aria-hidden="true">×</span> removed layer</li>` : undefined}
        </ul>
        <p id="matrix-help" class="help">Point at a cell, or focus the matrix and use the arrow keys; Home and End go to the
          ends of a row, Page Up and Page Down to those of a column.</p>
      </aside>
    </div>
    <script type="application/json" id="matrix-data">${raw(JSON.stringify(data))}</script>
  </section>`;
}
