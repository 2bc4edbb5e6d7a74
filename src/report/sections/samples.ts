import { html, type Markup } from "../markup.ts";
import { describeSamples } from "../samples.ts";
import type { View } from "../view.ts";

/** What both models write, side by side. */
export function samples({ report }: View): Markup | undefined {
  if (!report?.samples) return undefined;
  const pairs = report.samples.examples.map(
    ({ prompt, original, pruned }) => html`<h3>${prompt}</h3>
    <div class="pair">
      <div><p class="kind">original</p><p class="sample">${original}</p></div>
      <div><p class="kind">pruned</p><p class="sample">${pruned}</p></div>
    </div>`,
  );
  return html`<section>
    <h2>What they write</h2>
    <p>${describeSamples(report.samples)}</p>
    ${pairs}
  </section>`;
}
