import type { Comparison } from "../../documents/comparison.ts";
import { budgetFigure } from "../figures/budget.ts";
import { formatLayers, formatPerplexity } from "../format.ts";
import { html, type Markup, raw } from "../markup.ts";
import type { View } from "../view.ts";
import { table } from "./table.ts";

type Candidate = Comparison["candidates"][number];
type Measure = Candidate["measures"][number];

/** What every method costs at every budget, on each text. */
export function cost({ comparison }: View): Markup | undefined {
  if (!comparison) return undefined;
  const { candidates, texts } = comparison;
  const onText = texts.map(({ name, sequences, sequenceLength, original }, index) => {
    const measured = candidates.map(({ method, budget, measures }) => {
      return { method, budget, perplexity: measures[index]!.perplexity };
    });
    const described = {
      id: `cost-${index}`,
      title: `Perplexity on ${name} against layers removed`,
      description: "One line a method, from the original on; the table that follows has every value.",
    };
    const diverged = candidates.some(({ measures }) => measures[index]!.klDivergence !== undefined);
    return html`<figure class="wide">
      <figcaption>Perplexity on ${name}, ${sequences} × ${sequenceLength} tokens; dashed: the original, ${formatPerplexity(original.perplexity)}</figcaption>
      ${raw(budgetFigure(described, original.perplexity, measured))}</figure>
      ${pivot(`Perplexity on ${name}`, candidates, index, ({ perplexity }) => perplexity, formatPerplexity)}
      ${
        diverged
          ? pivot(
              `KL divergence from the original on ${name}, nats a token`,
              candidates,
              index,
              ({ klDivergence }) => klDivergence,
              (value) => value.toFixed(4),
            )
          : undefined
      }`;
  });
  return html`<section>
    <h2>Cost</h2>
    <p>What each method's choice costs at each number of removed layers. Lower is better; the best of a row is bold.</p>
    ${onText}
    <details><summary>Which layers each of them removes</summary>${choices(candidates)}</details>
  </section>`;
}

/** One row a budget, one column a method. */
function pivot(
  caption: string,
  candidates: readonly Candidate[],
  text: number,
  pick: (measure: Measure) => number | undefined,
  format: (value: number) => string,
): Markup {
  const methods = [...new Set(candidates.map(({ method }) => method))];
  const rows = budgetsOf(candidates).map((budget) => {
    const values = methods.map((method) => {
      const found = candidates.find(
        (candidate) => candidate.budget === budget && candidate.method === method,
      );
      return found && pick(found.measures[text]!);
    });
    const best = Math.min(...values.map((value) => value ?? Number.POSITIVE_INFINITY));
    const cells = values.map((value) => {
      if (value === undefined) return html`<td class="number">–</td>`;
      return html`<td class="number">${value === best ? html`<b>${format(value)}</b>` : format(value)}</td>`;
    });
    return html`<tr><th scope="row" class="number">${budget}</th>${cells}</tr>`;
  });
  const head = ["removed", ...methods].map((name) => html`<th scope="col" class="number">${name}</th>`);
  return table(caption, head, rows);
}

function choices(candidates: readonly Candidate[]): Markup {
  const rows = candidates
    .toSorted((a, b) => a.budget - b.budget)
    .map(
      ({ method, budget, removedLayers }) => html`<tr><td class="number">${budget}</td>
        <th scope="row">${method}</th><td class="rest">${formatLayers(removedLayers)}</td></tr>`,
    );
  const head = html`<th scope="col" class="number">removed</th><th scope="col">method</th><th scope="col">layers</th>`;
  return table("Layers removed by each method", head, rows);
}

const budgetsOf = (candidates: readonly Candidate[]) =>
  [...new Set(candidates.map(({ budget }) => budget))].toSorted((a, b) => a - b);
