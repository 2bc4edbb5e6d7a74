import type { BigIntStats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { GgufError } from "./errors.ts";

/** A file open for reading. */
export interface ReadableFile {
  readonly size: number;
  /** As `stateOf` tells it; empty in memory. */
  readonly state: string;
  /** Fills `buffer` from `position` on; returns the bytes read, fewer only at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Where files come from: the disk, or memory in tests. Rejects with an error that has a `code` (`ENOENT`, …). */
export type OpenFile = (path: string) => Promise<ReadableFile>;

/** Another one after a file was written to, or another put in its place. */
export function stateOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs].join(" ");
}

/** Opens a regular file of the disk. @throws GgufError `GGUF_UNREADABLE` for a folder, a pipe, a device */
export const openOnDisk: OpenFile = async (path) => {
  // Asked before opening: opening a pipe would wait for its writer.
  const stats = await stat(path, { bigint: true });
  if (!stats.isFile()) throw new GgufError("GGUF_UNREADABLE", path, 0, "it is not a regular file");
  const handle = await open(path, "r");
  return {
    size: Number(stats.size),
    state: stateOf(stats),
    async read(buffer, position) {
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    close: () => handle.close(),
  };
};
