import type { MeasuredSet, Measurements } from "../../documents/measurements.ts";
import { formatLayers, formatPerplexity } from "../format.ts";
import { html, type Markup } from "../markup.ts";
import type { View } from "../view.ts";
import { table } from "./table.ts";

/** What the losses are. */
const LOSSES = {
  kl: "KL divergence",
  perplexity: "perplexity",
  task: "wrong choice likelier by, nats",
} as const;

/** Rows shown at once; the rest can be unfolded. */
const SHOWN = 10;

/** The sets of layers that were measured to make the choice. */
export function measured({ plan }: View): Markup | undefined {
  if (!plan?.measurements) return undefined;
  const { sets, sequences, sequenceLength, text, original, objective } = plan.measurements;
  const asItIs = original ? ` The model as it is: ${shown(original)}.` : "";
  const rest = sets.slice(SHOWN);
  return html`<section>
    <h2>Measured candidates</h2>
    <p>${sets.length} sets of layers were measured on ${sequences} × ${sequenceLength} tokens of ${text.name} that the
      analysis did not use; the best was chosen.${asItIs} The difference is that of the loss from the chosen set's,
      in nats a token, with its standard error.</p>
    ${ranking("Best sets", sets.slice(0, SHOWN), objective)}
    ${rest.length > 0 ? html`<details><summary>${rest.length} more</summary>${ranking("Other sets", rest, objective)}</details>` : undefined}
  </section>`;
}

function ranking(
  caption: string,
  sets: readonly MeasuredSet[],
  objective: Measurements["objective"],
): Markup {
  const rows = sets.map((set) => {
    const { difference, removedLayers, proposedBy, complete } = set;
    const error = difference.standardError === null ? "" : ` ± ${difference.standardError.toFixed(4)}`;
    return html`<tr>
      <td class="number">${shown(set)}${complete ? "" : "*"}</td>
      <td class="number">${difference.mean.toFixed(4)}${error}</td>
      <th scope="row">${formatLayers(removedLayers)}</th>
      <td class="rest">${proposedBy.join(", ")}</td>
    </tr>`;
  });
  const head = html`<th scope="col" class="number">${LOSSES[objective ?? "perplexity"]}</th><th scope="col" class="number">difference</th>
    <th scope="col">layers removed</th><th scope="col">proposed by</th>`;
  const stopped = sets.some(({ complete }) => !complete) ? "; * stopped early, clearly worse" : "";
  return table(`${caption}${stopped}`, head, rows);
}

/** Perplexity where that was the objective; other losses have none. */
function shown({ loss, perplexity }: { readonly loss: number; readonly perplexity?: number }): string {
  return perplexity === undefined ? loss.toFixed(4) : formatPerplexity(perplexity);
}
