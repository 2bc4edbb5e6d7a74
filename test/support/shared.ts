import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A file of the folder of models and texts that may lie beside the project; undefined where it does not. */
export function sharedPath(...parts: string[]): string | undefined {
  const path = fileURLToPath(new URL(["../../../shared", ...parts].join("/"), import.meta.url));
  return existsSync(path) ? path : undefined;
}
