import { formatBytes, formatPercent } from "../format.ts";
import { html, type Markup } from "../markup.ts";
import type { View } from "../view.ts";
import { table } from "./table.ts";

/** The maps that do what removed layers did, and what they give back. */
export function repair({ plan }: View): Markup | undefined {
  if (!plan?.repair) return undefined;
  const { kind, tokens, heldBack, tried, refused } = plan.repair;
  const chosen = tried.find((one) => one.kind === kind);
  const done = {
    refit: "The last matrix before each gap was fitted anew, so that it does what the removed layers did.",
    bridge:
      "At each gap stands a small layer that adds a linear map of its input, fitted to do what the removed layers did.",
  };
  const behind = chosen?.gaps.find((map) => map.behind);
  const behindIt = behind
    ? ` The last matrix of layer ${behind.after}, the first one behind the gap, was fitted anew too, by what was still missing.`
    : "";
  const text = chosen
    ? `${done[chosen.kind]}${behindIt} It was fitted on ${tokens} tokens; on ${heldBack.sequences} pieces of text that were not fitted the KL divergence is ${heldBack.divergence.toFixed(4)} without and ${chosen.divergence.toFixed(4)} with it, nats a token${chosen.standardError === null ? "" : ` (standard error of the difference ${chosen.standardError.toFixed(4)})`}: ${formatPercent(1 - chosen.divergence / heldBack.divergence)} are given back.`
    : "No linear map that makes up for the removed layers helped by more than its standard error, or none is possible.";
  const others = tried
    .filter((one) => one !== chosen && one.gaps.length > 0)
    .map((one) => ` By ${one.kind} it would be ${one.divergence.toFixed(4)}.`);
  const reasons = refused.map(({ kind, reason }) => ` No ${kind}: ${reason}.`);
  const rows = (chosen?.gaps ?? []).map(
    ({ after, type, bytes, ridge, features, divergence }) => html`<tr>
      <th scope="row" class="number">${after}</th>
      <td>${type}</td>
      <td class="number">${bytes < 0 ? `−${formatBytes(-bytes)}` : formatBytes(bytes)}</td>
      <td class="number">${features}</td>
      <td class="number">${ridge}</td>
      <td class="number">${divergence.toFixed(4)}</td>
    </tr>`,
  );
  const head = [
    html`<th scope="col" class="number">after layer</th>`,
    html`<th scope="col">stored as</th>`,
    ...["adds", "features", "λ", "KL then"].map((name) => html`<th scope="col" class="number">${name}</th>`),
  ];
  return html`<section>
    <h2>Repair</h2>
    <p>${text}${others.join("")}${reasons.join("")}</p>
    ${rows.length > 0 ? html`<details><summary>${rows.length} maps</summary>${table("Maps by layer of the original", head, rows)}</details>` : undefined}
  </section>`;
}
