import { basename } from "node:path";
import { withoutPart } from "./parts.ts";

/**
 * A text as a file's name that every system allows, another one for every other text: what a name must not have somewhere
 * is written as in addresses (`%3A`), a name of dots too.
 */
export function storedName(text: string): string {
  const encoded = text.replace(/[^\p{L}\p{N}_.@+-]/gu, percent);
  return /^\.+$/.test(encoded) ? encoded.replaceAll(".", "%2E") : encoded;
}

const percent = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");

/** The text that `storedName` made a name of; any other name is its own. */
export function originalName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** What to call files that are made from a model: its file's name without ending, part number and odd characters. */
export function modelName(path: string): string {
  return plainName(originalName(withoutPart(basename(path)).replace(/\.gguf$/i, "")));
}

/** A text with everything replaced that a file name must not have on some system. */
export function plainName(text: string): string {
  return text.replace(/[^\p{L}\p{N}_.@+-]+/gu, "-").replace(/^\.+$/, "-");
}
