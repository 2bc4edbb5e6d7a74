import { html, type Markup } from "../markup.ts";

/** A table that scrolls sideways where it must; `caption` names it for those who do not see it. */
export function table(caption: string, head: Markup | readonly Markup[], rows: readonly Markup[]): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
