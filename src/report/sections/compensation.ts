import { html, type Markup } from "../markup.ts";
import type { View } from "../view.ts";
import { table } from "./table.ts";

/** The factors that make up for removed layers, and what they give back. */
export function compensation({ plan }: View): Markup | undefined {
  if (!plan?.compensation) return undefined;
  const { mode, factors, heldBack } = plan.compensation;
  const gain = heldBack
    ? ` On ${heldBack.sequences} held-back sequences the loss is ${heldBack.without.toFixed(4)} without and ` +
      `${heldBack.with.toFixed(4)} with factors, nats a token${heldBack.standardError === null ? "" : ` (standard error of the difference ${heldBack.standardError.toFixed(4)})`}.`
    : "";
  const done =
    factors.length > 0
      ? `What the kept layers add to the residual stream is scaled to make up for the removed ones (${mode}).`
      : `Factors that make up for the removed layers (${mode}) did not help, so nothing is scaled.`;
  const rows = factors.map(
    ({ layer, attention, feedForward }) => html`<tr>
      <th scope="row" class="number">${layer}</th>
      <td class="number">${attention.toFixed(4)}</td>
      <td class="number">${feedForward.toFixed(4)}</td>
    </tr>`,
  );
  const head = ["layer", "attention", "feed-forward"].map(
    (name) => html`<th scope="col" class="number">${name}</th>`,
  );
  return html`<section>
    <h2>Compensation</h2>
    <p>${done}${gain}</p>
    ${factors.length > 0 ? html`<details><summary>Factors of ${factors.length} layers</summary>${table("Factors by layer of the original", head, rows)}</details>` : undefined}
  </section>`;
}
