import { TEXT_WIDTH, wrapText } from "../format.ts";
import { paint, removedColour, type TerminalStyle } from "./colour.ts";

/** A verdict's sentence; that on a ruined model in red where there are colours. */
export function renderVerdict(sentence: string, ruined: boolean, style?: TerminalStyle): string {
  const lines = wrapText(sentence, TEXT_WIDTH).split("\n");
  return lines
    .map((text) => paint([{ text, front: ruined ? removedColour : undefined }], style?.colour ?? "none"))
    .join("\n");
}
