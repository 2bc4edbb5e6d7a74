import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { stateOf } from "../gguf/files.ts";
import type { GgufFile } from "../gguf/types.ts";
import { inputChanged } from "./errors.ts";

/** A part of a model that is open for reading. */
interface OpenPart {
  readonly handle: { stat(options: { bigint: true }): Promise<BigIntStats> };
}

/**
 * Refuses a model whose files are not as they were when their headers were read: written to, or replaced.
 * @param parts where they are open already
 * @throws OutputError `INPUT_CHANGED`
 */
export async function checkUnchanged(
  { paths, states }: GgufFile,
  parts?: readonly OpenPart[],
): Promise<void> {
  for (const [i, path] of paths.entries()) {
    const found = parts ? parts[i]!.handle.stat({ bigint: true }) : stat(path, { bigint: true });
    const state = await found.then(stateOf, () => undefined);
    if (state !== states[i]) throw inputChanged(path);
  }
}
