import { open } from "node:fs/promises";
import type { Rewrite } from "../architecture/types.ts";
import { throwIfAborted } from "../errors.ts";

import { readFailure, writeFailure } from "../files/errors.ts";
import { type NamedFile, writeFully } from "../files/io.ts";

import { checkOutput, commit, discard, type StagedFile, stage } from "../files/staged.ts";
import { checkUnchanged } from "../files/unchanged.ts";
import { splitPath } from "../gguf/split-name.ts";
import type { GgufFile } from "../gguf/types.ts";
import { sum } from "../statistics.ts";
import { copyRange, transformRange } from "./copy.ts";
import { type Changes, type FileLayout, layOut, type SplitOptions } from "./layout.ts";
import type { MetadataChanges } from "./metadata.ts";

export interface CutOptions {
  readonly model: GgufFile;
  /** From `planRewrite` of the model's architecture. */
  readonly rewrite: Rewrite;
  /** Metadata that says what the file is and how it was made. */
  readonly provenance: MetadataChanges;
  /** A split output is named after it as llama.cpp names parts: `x.gguf` gives `x-00001-of-00002.gguf`. */
  readonly output: string;
  /** Replace an existing output. */
  readonly force?: boolean | undefined;
  readonly split?: SplitOptions | undefined;
  /** What else changes than names and blocks. */
  readonly changes?: Changes | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes written so far, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Cut {
  /** The file to open: the output, of a split one the first part. */
  readonly path: string;
  readonly paths: readonly string[];
  /** Size of all files together. */
  readonly bytes: number;
}

/**
 * Writes the model that a rewrite describes: tensors renamed or left out, everything else byte for byte as it is but for `changes`.
 * The output appears whole or not at all; the input is only read.
 * @throws OutputError, AbortedError
 */
export async function applyPlan(options: CutOptions): Promise<Cut> {
  const { model, rewrite, provenance, output, split, changes, force = false } = options;
  const layouts = layOut(model, rewrite, provenance, split, changes);
  const paths = outputPaths(output, layouts.length);
  for (const path of paths) await checkOutput(path, model.paths, force);
  const sources: NamedFile[] = [];
  const staged: StagedFile[] = [];
  try {
    for (const path of model.paths) sources.push(await openSource(path));
    await checkUnchanged(model, sources);
    const { mode } = await sources[0]!.handle.stat();
    for (const path of paths) staged.push(await stage(path, mode));
    await fill(staged, layouts, sources, options);
    await checkUnchanged(model, sources);
    throwIfAborted(options.signal);
    await commit(staged, force);
  } finally {
    await discard(staged);
    for (const { handle } of sources) await handle.close();
  }
  return { path: paths[0]!, paths, bytes: sum(layouts.map(({ size }) => size)) };
}

function outputPaths(output: string, count: number): string[] {
  if (count === 1) return [output];
  const prefix = output.replace(/(-\d{5}-of-\d{5})?\.gguf$/, "");
  return Array.from({ length: count }, (_, no) => splitPath(prefix, no, count));
}

async function openSource(path: string): Promise<NamedFile> {
  const handle = await open(path, "r").catch((error: unknown) => {
    throw readFailure(path, error);
  });
  return { path, handle };
}

/** Writes headers and data. */
async function fill(
  staged: readonly StagedFile[],
  layouts: readonly FileLayout[],
  sources: readonly NamedFile[],
  { signal, onProgress }: CutOptions,
): Promise<void> {
  const total = sum(layouts.flatMap(({ ranges }) => ranges.map(({ length }) => length)));
  let before = 0;
  for (const [i, { header, ranges, added, size }] of layouts.entries()) {
    const file = staged[i]!;
    await file.handle.truncate(size).catch((error: unknown) => {
      throw writeFailure(file.path, error);
    });
    await writeFully(file, header, 0);
    for (const { bytes, to } of added) await writeFully(file, bytes, to);
    for (const range of ranges) {
      const source = sources[range.file]!;
      const onMoved = (moved: number) => onProgress?.(before + moved, total);
      if (range.transform) await transformRange(source, file, range, range.transform, signal, onMoved);
      else await copyRange(source, file, range, signal, onMoved);
      before += range.length;
    }
  }
}
