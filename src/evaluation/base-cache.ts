import { createHash } from "node:crypto";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { refusedWrite } from "../files/refused-write.ts";
import { temporaryPlace } from "../files/temporary.ts";
import type { LogitsPlace } from "../native/addon.ts";
import { EvaluationError } from "./errors.ts";
import type { WindowedText } from "./text.ts";
import { hashWindows } from "./windows.ts";

/** What the logits in a file are of; a file of anything else is refused. */
export interface CacheKey {
  /** Digest of the base model's whole content. */
  readonly model: string;
  readonly vocabularySize: number;
  readonly texts: readonly WindowedText[];
}

/** A base model's logits at every scored token of some texts: 4 bytes × tokens × vocabulary. */
export interface BaseCache {
  /** Where those of each text are, in the texts' order. */
  readonly places: readonly (LogitsPlace & { readonly rowBytes: number })[];
  /** Bytes of the whole file. */
  readonly bytes: number;
}

const HEADER_BYTES = 128;

/**
 * Opens a file of logits, or has it written; it appears whole or not at all.
 * @param record writes the logits of each text to its place
 * @throws EvaluationError `EVALUATION_CACHE` for a file of another model or other texts, and one that cannot be used
 */
export async function openBaseCache(
  path: string,
  key: CacheKey,
  record: (cache: BaseCache) => Promise<void>,
): Promise<BaseCache> {
  const header = headerOf(key);
  const cache = placesIn(path, key, false);
  const found = await readHeader(path);
  if (found === undefined) {
    const { place, temporary } = await temporaryPlace(path);
    try {
      await writeFile(temporary, header, { flag: "wx" });
      await record(placesIn(temporary, key, true));
      await sync(temporary);
      await rename(temporary, place);
    } catch (cause) {
      const isUnsaid = cause instanceof Error && /file of logits cannot be written/.test(cause.message);
      const refusal = isUnsaid ? await refusedWrite(temporary) : cause;
      throw system(refusal) ? unusable(path, `it cannot be written, ${refusal.code}`, cause) : cause;
    } finally {
      await rm(temporary, { force: true });
    }
  } else if (!found.header.equals(header)) {
    throw unusable(path, "it was made for another model, other texts or other windows");
  } else if (found.bytes !== cache.bytes) {
    throw unusable(path, `it has ${found.bytes} bytes and should have ${cache.bytes}`);
  }
  return cache;
}

function placesIn(path: string, { vocabularySize, texts }: CacheKey, append: boolean): BaseCache {
  const rowBytes = 4 * vocabularySize;
  let offset = HEADER_BYTES;
  const places = texts.map(({ windows: { sequences, first } }) => {
    const place = { path, offset, append, rowBytes };
    for (const tokens of sequences) offset += (tokens.length - first) * rowBytes;
    return place;
  });
  return { places, bytes: offset };
}

function headerOf({ model, vocabularySize, texts }: CacheKey): Buffer {
  const hash = createHash("sha256").update(`${model} ${vocabularySize}`);
  for (const { windows } of texts) hashWindows(hash, windows);
  return Buffer.from(`lorp base logits 1 ${hash.digest("hex")}`.padEnd(HEADER_BYTES, "\n"));
}

/** The header and the size of the file, or undefined where there is none. */
async function readHeader(path: string): Promise<{ header: Buffer; bytes: number } | undefined> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
      return { header: buffer.subarray(0, bytesRead), bytes: (await file.stat()).size };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (!system(cause)) throw cause;
    if (cause.code === "ENOENT") return undefined;
    throw unusable(path, `it cannot be read, ${cause.code}`, cause);
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function system(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

function unusable(path: string, reason: string, cause?: unknown): EvaluationError {
  return new EvaluationError(
    "EVALUATION_CACHE",
    `The file of base logits ${path} cannot be used (${reason}); delete it or name another.`,
    { cause },
  );
}
