import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeText, NoText } from "../decode-text.ts";
import { CalibrationError } from "./errors.ts";

/** A text of the package; two folders up from here in `src/` as in `dist/`. */
const ownFile = (name: string) => fileURLToPath(new URL(`../../calibration/${name}.txt`, import.meta.url));

/** What the documents call it. */
export const OWN_TEXT = "default";

/** A text to run through a model. */
export interface Calibration {
  /** File name, without the folder; `default` for the package's own text. */
  readonly name: string;
  /** The whole text; the documents of a `.jsonl` file are joined by blank lines. */
  readonly text: string;
  /** SHA-256 of the file's bytes, hexadecimal. */
  readonly sha256: string;
  /** Whether it is the package's own. */
  readonly isOwn: boolean;
}

/**
 * Reads a calibration text: plain UTF-8, or for a name ending in `.jsonl` one JSON object a line with a `text` field.
 * @param path undefined for the text that comes with the package
 * @throws CalibrationError `CALIBRATION_UNREADABLE`, `_ENCODING`, `_LINE`, `_EMPTY`
 */
export async function loadCalibration(path?: string): Promise<Calibration> {
  return path === undefined ? read(ownFile(OWN_TEXT), OWN_TEXT, true) : read(path, basename(path), false);
}

/** Prose that comes with the package, for maps to be fitted on besides its text. */
export function loadProse(): Promise<Calibration> {
  return read(ownFile("prose"), "prose", true);
}

/** What a model is asked to go on with, for maps to be fitted on what it writes. */
export interface Prompts {
  /** For models that chat. */
  readonly questions: readonly string[];
  readonly beginnings: readonly string[];
  /** SHA-256 of the file's bytes, hexadecimal. */
  readonly sha256: string;
}

/** Prompts that come with the package, half of them for code. */
export async function loadPrompts(): Promise<Prompts> {
  const file = fileURLToPath(new URL("../../calibration/prompts.json", import.meta.url));
  const { text, sha256 } = await read(file, "prompts", true);
  return { ...JSON.parse(text), sha256 };
}

async function read(file: string, name: string, isOwn: boolean): Promise<Calibration> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new CalibrationError(
      "CALIBRATION_UNREADABLE",
      `Cannot read the text file ${file} (${cause.code}); check the path and its permissions.`,
      { cause },
    );
  });
  const content = decode(bytes, file);
  const text = extname(file).toLowerCase() === ".jsonl" ? documents(content, file).join("\n\n") : content;
  if (text.trim() === "") {
    throw new CalibrationError(
      "CALIBRATION_EMPTY",
      `The text file ${file} has no text; give one with a few thousand words.`,
    );
  }
  return { name, text, sha256: createHash("sha256").update(bytes).digest("hex"), isOwn };
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return decodeText(bytes);
  } catch (cause) {
    if (!(cause instanceof NoText)) throw cause;
    throw new CalibrationError(
      "CALIBRATION_ENCODING",
      `The text file ${file} ${cause.message}; convert it to UTF-8 first.`,
      { cause },
    );
  }
}

/** The `text` fields of JSON lines; blank lines are skipped. */
function documents(content: string, file: string): string[] {
  return content.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const text = textField(line);
    if (text === undefined) {
      throw new CalibrationError(
        "CALIBRATION_LINE",
        `Line ${index + 1} of ${file} is not a JSON object with a string field "text"; correct or remove that line.`,
      );
    }
    return [text];
  });
}

function textField(line: string): string | undefined {
  try {
    const text: unknown = JSON.parse(line)?.text;
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}
