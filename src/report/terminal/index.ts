/** Documents as text for a terminal: pure functions of a document, what colours there are, and the width. */

export { renderChanges } from "./changes.ts";
export type { ColourDepth, TerminalStyle } from "./colour.ts";
export { type Depth, renderDepthStrip } from "./depth-strip.ts";
export { renderHeatmap } from "./heatmap.ts";
export { renderSamples } from "./samples.ts";
export { renderVerdict } from "./verdict.ts";
