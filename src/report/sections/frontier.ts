import { frontierFigure, type Point } from "../figures/frontier.ts";
import {
  bestBy,
  describeWinners,
  KINDS,
  kindOf,
  nameVariant,
  RESOURCES,
  type Resource,
  type Variant,
} from "../frontier.ts";
import { html, type Markup, raw } from "../markup.ts";
import type { View } from "../view.ts";
import { table } from "./table.ts";

/** Types of quantisation beside removals: one frontier for each thing that a variant takes. */
export function frontier({ comparison }: View): Markup | undefined {
  const { variants = [], typesLeftOut } = comparison ?? {};
  const left = typesLeftOut === undefined ? undefined : html`<p>${typesLeftOut}</p>`;
  if (!variants.some(({ type }) => type !== null)) {
    return left && html`<section><h2>Beside quantisation</h2>${left}</section>`;
  }
  const changed = variants.filter(({ type, removedLayers }) => type !== null || removedLayers.length > 0);
  const kinds = [...new Set(changed.map(kindOf))];
  const legend = kinds.map(
    (kind, index) =>
      html`<li><span style="color: var(--series-${index})">${MARKS[index % 3]}</span> ${KINDS[kind]}</li>`,
  );
  return html`<section>
    <h2>Beside quantisation</h2>
    <p>The whole model in smaller types, without some layers, and both. A line joins what no other variant beats both
      in loss and in what is drawn across; dashed: the original. The cache is that of one token of
      context. Types alone are timed beside it, what removed layers save of time
      is estimated by their weights.</p>
    <ul class="plain">${describeWinners(variants).map((sentence) => html`<li>${sentence}</li>`)}</ul>
    <ul class="legend">${legend}</ul>
    <div class="pair">${RESOURCES.map((resource, index) => figure(resource, index, variants, changed, kinds))}</div>
    ${rows(variants)}
    ${left}
  </section>`;
}

const MARKS = ["●", "■", "▲"];

function figure(
  resource: Resource,
  index: number,
  variants: readonly Variant[],
  changed: readonly Variant[],
  kinds: readonly ReturnType<typeof kindOf>[],
): Markup {
  const best = new Set(bestBy(variants, resource));
  const points = kinds.flatMap((kind) =>
    changed
      .filter((variant) => kindOf(variant) === kind)
      .map((variant): Point => {
        return {
          name: nameVariant(variant),
          kind,
          resource: resource.shown(variant),
          loss: variant.measures[0]?.klDivergence ?? 0,
          best: best.has(variant),
        };
      }),
  );
  const described = {
    id: `frontier-${index}`,
    title: `KL divergence against ${resource.name}`,
    description: "One mark a variant; the table that follows has every value.",
  };
  return html`<figure><figcaption>Loss against ${resource.name}</figcaption>
    ${raw(
      frontierFigure(described, points, {
        label: resource.name,
        original: resource.shown(variants[0]!),
        format: resource.tick,
      }),
    )}</figure>`;
}

/** Every variant with all that it takes; bold where none beats it. */
function rows(variants: readonly Variant[]): Markup {
  const best = RESOURCES.map((resource) => new Set(bestBy(variants, resource)));
  const body = variants.map((variant) => {
    const cells = RESOURCES.map(({ format }, index) => {
      const value = format(variant);
      return html`<td class="number">${best[index]!.has(variant) ? html`<b>${value}</b>` : value}</td>`;
    });
    const { klDivergence, verdict } = variant.measures[0]!;
    return html`<tr><th scope="row">${nameVariant(variant)}</th>${cells}
      <td class="number">${klDivergence?.toFixed(4) ?? "–"}</td><td>${verdict?.grade ?? "–"}</td></tr>`;
  });
  const head = [
    html`<th scope="col">variant</th>`,
    ...[...RESOURCES.map(({ name }) => name), "KL divergence"].map(
      (name) => html`<th scope="col" class="number">${name}</th>`,
    ),
    html`<th scope="col">verdict</th>`,
  ];
  return table("Variants: bold where no other loses less and takes less", head, body);
}
