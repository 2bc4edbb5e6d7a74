import { formatCount } from "../format.ts";
import { html, type Markup } from "../markup.ts";
import { changes, type View } from "../view.ts";

/** The figures one wants first: what changed, or else what the model is; and its locality. */
export function tiles(view: View): Markup {
  const { analysis, model } = view;
  const changed = changes(view).map(({ label, before, after, change }) => [
    label,
    after,
    before === undefined ? change : `${change} from ${before}`,
  ]);
  const facts = [
    ["layers", String(model.blockCount), model.architecture ?? ""],
    ...(model.parameters === undefined ? [] : [["weights", formatCount(model.parameters), ""]]),
  ];
  const score = analysis
    ? [["RLS", analysis.rls?.toFixed(3) ?? "none", `${analysis.k} clusters of layers`]]
    : [];
  return html`<dl class="tiles">${[...(changed.length > 0 ? changed : facts), ...score].map(
    ([label, value, note]) => html`<div><dt>${label}</dt><dd><b>${value}</b></dd><dd>${note}</dd></div>`,
  )}</dl>`;
}
