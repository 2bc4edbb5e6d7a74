import { CLUSTER_COLOURS, hex, REMOVED_COLOUR, similarityScale } from "./palette.ts";

type Theme = "light" | "dark";

const GROUND = {
  light: `
    --surface: #fbfaf6; --raised: #ffffff; --ink: #1b1d24; --muted: #5c6069; --line: #e3e0d7;
    --accent: #2583b8; --accent-ink: #14628f; --removed-ground: #cf3f1d14;
    --range-4: #2583b80d; --range-3: #2583b81c; --range-2: #2583b82e;
    --series-0: #1f6fb2; --series-1: #c2520b; --series-2: #2a7d3c; --series-3: #8a4bb8;
    --series-4: #b2306f; --series-5: #7a6200; --series-6: #14787f; --series-7: #5c6069;`,
  dark: `
    --surface: #12141b; --raised: #1a1d27; --ink: #eceae3; --muted: #a3a7b4; --line: #2d3140;
    --accent: #58b0e0; --accent-ink: #7fc6ee; --removed-ground: #ff7d5822;
    --range-4: #58b0e00d; --range-3: #58b0e01f; --range-2: #58b0e033;
    --series-0: #6db5f2; --series-1: #ff9a4d; --series-2: #6fce82; --series-3: #c79bf0;
    --series-4: #f58bb9; --series-5: #d9c25a; --series-6: #5fd0d6; --series-7: #a3a7b4;`,
};

/** The colours of one theme, as custom properties. */
export function properties(theme: Theme): string {
  const clusters = CLUSTER_COLOURS[theme].map((colour, i) => `--cluster-${i}:${colour};`);
  const steps = similarityScale(theme).map((colour, i) => `--similarity-${i}:${hex(colour)};`);
  return `${GROUND[theme]} --removed: ${REMOVED_COLOUR[theme]}; ${clusters.join("")}${steps.join("")}`;
}

/** Stops of the legend's gradient, from 0 to 1. */
const gradient = Array.from({ length: 8 }, (_, i) => `var(--similarity-${i * 9})`).join(", ");

/** The page's style sheet: light, dark, narrow and printed. */
export const style = `
:root { color-scheme: light dark; ${properties("light")} }
@media screen and (prefers-color-scheme: dark) { :root { ${properties("dark")} } }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--surface); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
header, main, footer { max-width: 1104px; margin: 0 auto; padding: 0 32px; }
header { padding-top: 56px; }
h1 { font-size: 40px; line-height: 1.15; letter-spacing: -0.02em; margin: 0 0 12px; font-weight: 700; overflow-wrap: anywhere; }
h2 { font-size: 22px; letter-spacing: -0.01em; margin: 0 0 6px; font-weight: 650; }
p { margin: 0 0 16px; max-width: 72ch; }
section > p { color: var(--muted); }
.kind { color: var(--accent-ink); font-weight: 650; margin-bottom: 6px; }
.summary { font-size: 19px; line-height: 1.5; }
.verdict { font-size: 19px; line-height: 1.5; font-weight: 650; }
.ruined { color: var(--removed); }
h3 { font-size: 17px; margin: 18px 0 6px; }
.sample { white-space: pre-wrap; overflow-wrap: anywhere; color: var(--ink); }
section { padding: 40px 0 0; }
figure { margin: 0; }
figcaption { color: var(--muted); font-size: 14px; margin-bottom: 8px; }
figure svg { display: block; max-width: 100%; height: auto; color: var(--muted); }
figure.wide + figure.wide { margin-top: 32px; }
.number { text-align: right; font-variant-numeric: tabular-nums; }

.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(180px, 45%), 1fr)); gap: 12px; margin: 28px 0 0; }
.tiles div { background: var(--raised); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; }
.tiles dt, .tiles dd { margin: 0; color: var(--muted); font-size: 14px; font-variant-numeric: tabular-nums; }
.tiles b { color: var(--ink); font-size: 26px; line-height: 1.3; letter-spacing: -0.02em; font-weight: 650; white-space: nowrap; }

.legend, .plain { list-style: none; margin: 14px 0 0; padding: 0; font-size: 15px; }
.legend { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 4px 28px; }
.legend li { display: flex; gap: 9px; align-items: baseline; }
.swatch { display: inline-block; flex: none; width: 12px; height: 12px; border-radius: 3px; vertical-align: -1px; }
.outline { display: inline-block; width: 13px; height: 13px; border: 1.5px solid var(--ink); border-radius: 1px; vertical-align: -2px; }
.cross { color: var(--removed); font-weight: 700; display: inline-block; width: 13px; text-align: center; }

table { border-collapse: collapse; width: 100%; font-size: 15px; }
th, td { text-align: left; padding: 7px 18px 7px 0; border-bottom: 1px solid var(--line); vertical-align: baseline; font-weight: inherit; }
th.number, td.number { text-align: right; }
thead th { color: var(--muted); font-size: 14px; white-space: nowrap; }
tbody th.number { font-weight: 650; }
td, th { white-space: nowrap; }
table:not(:has(.rest)) { table-layout: fixed; min-width: 560px; }
td.rest { width: 99%; min-width: 300px; white-space: normal; color: var(--muted); padding-right: 0; }
.scroll { overflow-x: auto; }
caption { text-align: left; color: var(--muted); font-size: 14px; padding-bottom: 4px; }
figure + .scroll, .scroll + .scroll { margin-top: 20px; }

.matrix { display: grid; grid-template-columns: minmax(0, 640px) minmax(200px, 1fr); gap: 40px; align-items: start; }
.matrix aside { position: sticky; top: 24px; padding-top: 36px; }
#matrix-cells { position: relative; outline: none; cursor: crosshair; touch-action: pan-y; }
#matrix-cells:focus-visible { outline: 2px solid var(--accent); outline-offset: 6px; border-radius: 4px; }
#matrix-value { display: block; min-height: 128px; }
#matrix-value b { display: block; font-size: 38px; line-height: 1.15; letter-spacing: -0.02em; font-weight: 650; font-variant-numeric: tabular-nums; }
#matrix-value span { display: block; color: var(--muted); font-size: 15px; }
.cursor { fill: none; stroke: var(--ink); stroke-width: 2; vector-effect: non-scaling-stroke; pointer-events: none; }
.cursor.halo { stroke: var(--surface); stroke-width: 5; }
.beam { fill: var(--ink); opacity: 0.09; pointer-events: none; }
.scale { position: relative; height: 14px; border-radius: 3px; background: linear-gradient(to right, ${gradient}); box-shadow: inset 0 0 0 1px var(--line); }
.scale i { position: absolute; top: -4px; bottom: -4px; width: 3px; margin-left: -1.5px; background: var(--ink); box-shadow: 0 0 0 2px var(--surface); border-radius: 1px; }
.ends { display: flex; justify-content: space-between; color: var(--muted); font-size: 14px; margin-top: 4px; }
.help { color: var(--muted); font-size: 14px; margin-top: 18px; }

.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 40px; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px; margin: 10px 0 18px; overflow-x: auto; font-size: 14px; }
code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.facts { columns: 2 380px; column-gap: 40px; margin: 12px 0 0; font-size: 15px; }
.facts div { display: grid; grid-template-columns: 140px minmax(0, 1fr); gap: 12px; padding: 3px 0; break-inside: avoid; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
details { margin-top: 18px; }
summary { cursor: pointer; color: var(--accent-ink); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
footer { color: var(--muted); font-size: 14px; padding-top: 48px; padding-bottom: 48px; }

@media (max-width: 860px) {
  header, main, footer { padding-left: 20px; padding-right: 20px; }
  header { padding-top: 32px; }
  h1 { font-size: 31px; }
  .matrix { grid-template-columns: minmax(0, 1fr); gap: 20px; }
  .matrix aside { position: static; padding-top: 0; }
}
@media print {
  @page { margin: 14mm; }
  body { font-size: 12px; background: none; }
  h1 { font-size: 28px; }
  .summary { font-size: 14px; }
  table, .legend, .plain, .facts { font-size: 12px; }
  header { padding-top: 0; }
  header, main, footer { max-width: none; padding-left: 0; padding-right: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section { padding-top: 24px; }
  h2 { break-after: avoid; }
  figure, tr, .tile, .pair > * { break-inside: avoid; }
  .matrix { grid-template-columns: 420px 1fr; }
  .help, #matrix-value { display: none; }
  details > *, details:not([open]) > * { display: block; }
}
`;
