import { html, type Markup } from "../markup.ts";
import { provenance, type View } from "../view.ts";

/** The command, the versions and the settings that give the same result again. */
export function repeat(view: View): Markup {
  const { command, report } = view;
  const options = Object.entries(report?.settings ?? {}).map(([name, value]): [string, string] => {
    return [name, typeof value === "string" ? value : JSON.stringify(value)];
  });
  return html`<section>
    <h2>To repeat it</h2>
    ${command ? html`<pre tabindex="0" role="region" aria-label="Command"><code>${command}</code></pre>` : undefined}
    ${facts(provenance(view))}
    ${options.length > 0 ? html`<details><summary>Options in force</summary>${facts(options)}</details>` : undefined}
  </section>`;
}

function facts(entries: readonly [string, string][]): Markup {
  return html`<dl class="facts">${entries.map(
    ([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}
