import { CLUSTER_COLOURS, level, parseHex, REMOVED_COLOUR, type Rgb, similarityScale } from "../palette.ts";

/** What a terminal can show: no colours, the palette of 256, or any colour. */
export type ColourDepth = "none" | "256" | "truecolour";

export interface TerminalStyle {
  readonly colour: ColourDepth;
  /** Columns that may be used. */
  readonly width: number;
}

export interface Colour {
  readonly rgb: Rgb;
  /** The number in the palette of 256 that comes nearest. */
  readonly code: number;
}

const SCALE = similarityScale("dark");

/** The scale in the palette of 256: one hue after the other and ever lighter, which the nearest colours are not. */
const SCALE_CODES = [234, 17, 18, 24, 25, 31, 37, 73, 79, 115, 151, 193, 230];

export function similarityColour(similarity: number): Colour {
  const step = level(similarity);
  const code = SCALE_CODES[Math.round((step / (SCALE.length - 1)) * (SCALE_CODES.length - 1))]!;
  return { rgb: SCALE[step]!, code };
}

const CLUSTER_CODES = [105, 74, 79, 149, 183, 110];

export function clusterColour(cluster: number): Colour {
  const index = cluster % CLUSTER_CODES.length;
  return { rgb: parseHex(CLUSTER_COLOURS.dark[index]!), code: CLUSTER_CODES[index]! };
}

export const removedColour: Colour = { rgb: parseHex(REMOVED_COLOUR.dark), code: 209 };

/** A piece of text with its colours. */
export interface Ink {
  readonly text: string;
  readonly front?: Colour | undefined;
  readonly back?: Colour | undefined;
}

/** One line; an escape sequence only where the colours change, and none left open at its end. */
export function paint(pieces: readonly Ink[], depth: ColourDepth): string {
  if (depth === "none")
    return pieces
      .map(({ text }) => text)
      .join("")
      .trimEnd();
  const select = ({ rgb, code }: Colour) => (depth === "256" ? `5;${code}` : `2;${rgb.join(";")}`);
  let current = "";
  const painted = pieces.map(({ text, front, back }) => {
    const codes = [...(front ? [`38;${select(front)}`] : []), ...(back ? [`48;${select(back)}`] : [])].join(
      ";",
    );
    const change = codes === current ? "" : `\u001b[0${codes && `;${codes}`}m`;
    current = codes;
    return change + text;
  });
  return painted.join("") + (current === "" ? "" : "\u001b[0m");
}
