import { clusterColour } from "../figures/svg.ts";
import { html, type Markup } from "../markup.ts";
import type { View } from "../view.ts";
import { table } from "./table.ts";

/** Each removal in order, with its reason. */
export function why({ plan }: View): Markup | undefined {
  if (plan === undefined || plan.removals.length === 0) return undefined;
  const rows = plan.removals.map(
    ({ layer, cluster, reason, score, text }, index) => html`<tr>
      <td class="number">${index + 1}</td>
      <th scope="row" class="number">${layer}</th>
      <td>${cluster === undefined ? "–" : html`<span class="swatch" style="background:${clusterColour(cluster)}"></span> ${cluster}`}</td>
      <td>${reason}</td>
      <td class="number">${score?.toFixed(4) ?? "–"}</td>
      <td class="rest">${text}</td>
    </tr>`,
  );
  const head = html`<th scope="col" class="number">order</th><th scope="col" class="number">layer</th>
    <th scope="col">cluster</th><th scope="col">rule</th><th scope="col" class="number">score</th><th scope="col">reason</th>`;
  const passedOver = plan.passedOver.map(({ layer, rule }) => html`<li>Layer ${layer} stays: ${rule}.</li>`);
  return html`<section>
    <h2>Why these layers</h2>
    ${table("Removed layers in the order of removal", head, rows)}
    ${passedOver.length > 0 ? html`<ul class="plain">${passedOver}</ul>` : undefined}
  </section>`;
}
