import type { Markup } from "../markup.ts";
import type { View } from "../view.ts";
import { confidence } from "./confidence.ts";
import { cost } from "./cost.ts";
import { depth } from "./depth.ts";
import { frontier } from "./frontier.ts";
import { locality } from "./locality.ts";
import { matrix } from "./matrix.ts";
import { measured } from "./measured.ts";
import { repair } from "./repair.ts";
import { repeat } from "./repeat.ts";
import { samples } from "./samples.ts";
import { tiles } from "./tiles.ts";
import { why } from "./why.ts";

/** The parts of the page, in order; a part whose data the document lacks is left out. */
export function sections(view: View): Markup[] {
  return [
    tiles,
    samples,
    cost,
    frontier,
    depth,
    why,
    measured,
    repair,
    matrix,
    locality,
    confidence,
    repeat,
  ].flatMap((section) => section(view) ?? []);
}
