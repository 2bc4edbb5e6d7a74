import { systemReason, throwIfAborted } from "../errors.ts";
import { MoreBytesNeeded } from "./cursor.ts";
import { GgufError } from "./errors.ts";
import { type OpenFile, openOnDisk, type ReadableFile } from "./files.ts";
import { ggmlTypeName } from "./ggml-types.ts";
import { type Header, parseHeader } from "./header.ts";
import { splitPath, splitPrefix } from "./split-name.ts";
import type { GgufFile } from "./types.ts";

/** The first read; enough for the header of a model with a small vocabulary. */
const FIRST_READ = 2 ** 20;
/** No header of a real model comes near: the largest vocabularies take some 20 MB. */
export const MAX_HEADER = 2 ** 28;

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where files come from; the disk unless given. */
  readonly open?: OpenFile;
}

interface Part {
  readonly path: string;
  readonly size: number;
  readonly state: string;
  readonly header: Header;
}

/**
 * Reads a model's header, of a split model all parts' headers, whichever part `path` names. Tensor data is not read.
 * @throws GgufError with the offset and the reason
 */
export async function readGguf(path: string, options: ReadOptions = {}): Promise<GgufFile> {
  const named = await readPart(path, options);
  const split = splitOf(named);
  if (split === undefined) return assemble([named]);
  const parts: Part[] = [];
  for (let index = 0; index < split.count; index++) {
    const part =
      index === split.index
        ? named
        : await readSibling(splitPath(split.prefix, index, split.count), path, options);
    checkSibling(part, index, split.count);
    parts.push(part);
  }
  return assemble(parts);
}

async function readSibling(path: string, namedPath: string, options: ReadOptions): Promise<Part> {
  try {
    return await readPart(path, options);
  } catch (error) {
    if (!(error instanceof GgufError) || (error.cause as NodeJS.ErrnoException)?.code !== "ENOENT")
      throw error;
    throw new GgufError("GGUF_MISSING_PART", namedPath, 0, `its part ${path} is missing`, {
      cause: error.cause,
    });
  }
}

async function readPart(path: string, { signal, open = openOnDisk }: ReadOptions): Promise<Part> {
  throwIfAborted(signal);
  const file = await open(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const { size, state } = file;
    return { path, size, state, header: await readHeader(path, file, signal) };
  } finally {
    await file.close();
  }
}

/** What the system's refusal to read a model's file means. */
export function unreadable(path: string, error: unknown): unknown {
  const reason = systemReason(error);
  return reason === undefined ? error : new GgufError("GGUF_UNREADABLE", path, 0, reason, { cause: error });
}

/** Reads as much as the header turns out to need: parses what there is, and reads at least twice as much again. */
async function readHeader(
  path: string,
  file: ReadableFile,
  signal: AbortSignal | undefined,
): Promise<Header> {
  let bytes = new Uint8Array(0);
  for (let wanted = FIRST_READ; ; ) {
    throwIfAborted(signal);
    bytes = await extend(path, file, bytes, Math.min(wanted, file.size, MAX_HEADER));
    try {
      return parseHeader(path, bytes, file.size);
    } catch (error) {
      if (!(error instanceof MoreBytesNeeded)) throw error;
      if (error.end > MAX_HEADER) {
        const reason = `its header is larger than ${MAX_HEADER / 2 ** 20} MiB`;
        throw new GgufError("GGUF_HEADER_TOO_LARGE", path, bytes.length, reason);
      }
      wanted = Math.max(error.end, 2 * bytes.length);
    }
  }
}

async function extend(
  path: string,
  file: ReadableFile,
  bytes: Uint8Array,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const longer = new Uint8Array(length);
  longer.set(bytes);
  const read = await file.read(longer.subarray(bytes.length), bytes.length).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (bytes.length + read < length) {
    throw new GgufError("GGUF_TRUNCATED", path, bytes.length + read, "it became shorter while it was read");
  }
  return longer;
}

/** Which part of how many this is; undefined for an unsplit model. */
function splitOf(part: Part): { index: number; count: number; prefix: string } | undefined {
  const count = splitNumber(part, "split.count") ?? 0;
  if (count <= 1) return undefined;
  const index = splitNumber(part, "split.no");
  const prefix = index === undefined ? undefined : splitPrefix(part.path, index, count);
  if (index === undefined || index >= count || prefix === undefined) {
    const reason = `it says it is part ${index ?? "?"} (from 0) of ${count}, which its name does not`;
    throw new GgufError("GGUF_SPLIT", part.path, 0, reason);
  }
  return { index, count, prefix };
}

function splitNumber(part: Part, key: string): number | undefined {
  const value = part.header.metadata.get(key)?.decode().value;
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) {
    throw new GgufError("GGUF_SPLIT", part.path, 0, `its ${key} is no whole number`);
  }
  return number;
}

function checkSibling(part: Part, index: number, count: number): void {
  const no = splitNumber(part, "split.no");
  const of = splitNumber(part, "split.count");
  if (no === index && of === count) return;
  const reason = `it says it is part ${no ?? "?"} of ${of ?? "?"} where part ${index} of ${count} belongs`;
  throw new GgufError("GGUF_SPLIT", part.path, 0, reason);
}

function assemble(parts: readonly Part[]): GgufFile {
  const first = parts[0] as Part;
  const tensors = parts.flatMap(({ header }, file) =>
    header.tensors.map((tensor) => ({ ...tensor, typeName: ggmlTypeName(tensor.type), file })),
  );
  checkTogether(first, parts, tensors);
  return {
    version: first.header.version,
    paths: parts.map(({ path }) => path),
    sizes: parts.map(({ size }) => size),
    states: parts.map(({ state }) => state),
    alignment: first.header.alignment,
    metadata: first.header.metadata,
    tensors,
  };
}

/** What only all parts together show: a tensor in two of them, or fewer tensors than announced. */
function checkTogether(first: Part, parts: readonly Part[], tensors: GgufFile["tensors"]): void {
  if (parts.length === 1) return;
  const names = new Set<string>();
  for (const { name, file } of tensors) {
    const { path } = parts[file] as Part;
    if (names.has(name)) {
      throw new GgufError("GGUF_DUPLICATE", path, 0, `its tensor ${name} is in an earlier part as well`);
    }
    names.add(name);
  }
  const announced = splitNumber(first, "split.tensors.count");
  if (announced !== undefined && announced !== tensors.length) {
    const reason = `its parts hold ${tensors.length} tensors where it says ${announced}`;
    throw new GgufError("GGUF_SPLIT", first.path, 0, reason);
  }
}
