import { html, type Markup, raw } from "./markup.ts";
import { script } from "./script.ts";
import { style } from "./style.ts";
import { isRuined } from "./verdict.ts";
import { type Showable, type View, viewOf } from "./view.ts";

const KINDS = { analysis: "Analysis", plan: "Plan", report: "Pruning report", comparison: "Comparison" };

/**
 * A document as one self-contained page: no request leaves it, and it works from `file://`, on paper, by keyboard and
 * with a screen reader. Without the similarity matrix the figures made of it are left out.
 * The plotting library is loaded here, not before.
 */
export async function renderHtml(document: Showable): Promise<string> {
  const { sections } = await import("./sections/index.ts");
  const view = viewOf(document);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${view.title} – ${KINDS[view.kind]} – lorp</title>
<style>${raw(style)}</style>
</head>
<body>
<header>
<p class="kind">${KINDS[view.kind]}</p>
<h1>${view.title}</h1>
${head(view)}
</header>
<main>
${sections(view)}
</main>
<footer>Made by lorp${view.lorpVersion ? ` ${view.lorpVersion}` : ""}. Method: LoRP, arXiv 2605.27786.</footer>
<script>${raw(script)}</script>
</body>
</html>
`.markup;
}

/** What the document says in short; of a ruined model that before all else. */
function head({ summary, report, judgement }: View): Markup[] {
  const ruined = isRuined(report?.verdict);
  const said = html`<p class="summary">${summary}</p>`;
  if (judgement === undefined) return [said];
  const judged = html`<p class="verdict${ruined ? " ruined" : ""}">${judgement}</p>`;
  return ruined ? [judged, said] : [said, judged];
}
