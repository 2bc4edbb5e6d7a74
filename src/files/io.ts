import type { FileHandle } from "node:fs/promises";
import { inputChanged, readFailure, writeFailure } from "./errors.ts";

/** An open file and the name it has in messages. */
export interface NamedFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** Fills `bytes`; the system may give them in several goes. @throws OutputError when the file ends before */
export async function readFully(
  { path, handle }: NamedFile,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle
      .read(bytes, done, bytes.length - done, position + done)
      .catch((error: unknown) => {
        throw readFailure(path, error);
      });
    if (bytesRead === 0) throw inputChanged(path);
    done += bytesRead;
  }
}

/** Writes all of `bytes`; the system may take them in several goes. */
export async function writeFully(
  { path, handle }: NamedFile,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle
      .write(bytes, done, bytes.length - done, position + done)
      .catch((error: unknown) => {
        throw writeFailure(path, error);
      });
    done += bytesWritten;
  }
}
