import { formatLayers, formatPercent } from "../format.ts";
import { html, type Markup } from "../markup.ts";
import type { View } from "../view.ts";

/** How sure the answer is, and what else it might have been. */
export function confidence({ analysis }: View): Markup | undefined {
  if (!analysis?.confidence) return undefined;
  const { method, budget, settled, agreement, rlsStandardError, entryStandardError, alternatives } =
    analysis.confidence;
  const others = alternatives.map(
    ({ removedLayers, share }) =>
      html`<li>${formatLayers(removedLayers)}, in ${formatPercent(share)} of resamples</li>`,
  );
  return html`<section>
    <h2>How settled the choice is</h2>
    <p>${
      settled
        ? "Settled: more text is unlikely to change the removed layers."
        : "Not settled: more text might change the removed layers."
    } Judged by resampling the sequences, for ${budget} removed by ${method}: how sure it is of its choice, not how good that choice is.</p>
    <dl class="facts">
      <div><dt>same layers</dt><dd>${formatPercent(agreement.layers)} of resamples</dd></div>
      <div><dt>same clusters</dt><dd>${formatPercent(agreement.clusters)}</dd></div>
      <div><dt>same cluster count</dt><dd>${formatPercent(agreement.k)}</dd></div>
      <div><dt>RLS</dt><dd>standard error ${rlsStandardError.toFixed(4)}</dd></div>
      <div><dt>similarity</dt><dd>standard error at most ${entryStandardError.toFixed(4)}</dd></div>
    </dl>
    ${others.length > 0 ? html`<details><summary>Other layers that resamples led to</summary><ul>${others}</ul></details>` : undefined}
  </section>`;
}
