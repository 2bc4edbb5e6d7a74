/** Every control character but tab and line feed, and those that turn the direction of what follows. */
const CONTROL = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** The colours of lorp's own drawings. */
const COLOURS = new RegExp(`(${String.fromCharCode(27)}\\[[\\d;]*m)`);

const code = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * A text that a terminal shows and does not obey: names and messages may come from files of strangers. Control characters
 * are written as in JSON, `\\u001b`, so that a JSON text stays one.
 */
export function printable(text: string): string {
  return text.replace(CONTROL, code);
}

/** The same for a text with drawings: colours stay. */
export function printableDrawing(text: string): string {
  return text
    .split(COLOURS)
    .map((piece, index) => (index % 2 === 0 ? printable(piece) : piece))
    .join("");
}
