import type { FileHandle } from "node:fs/promises";
import { throwIfAborted } from "../errors.ts";
import { withControl } from "../model/control.ts";
import { addon } from "../native.ts";
import { inputChanged, readFailure, writeFailure } from "./errors.ts";

/** An open file and the name it has in messages. */
export interface NamedFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** Bytes to move: `length` from `from` in one file to `to` in another. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** Bytes moved between two looks at the signal. */
const CHUNK = 4 * 2 ** 20;

/**
 * Moves a range of bytes from one file to another: by the kernel as far as it can, which may mean that both files share
 * the blocks, and else through one buffer of at most 4 MiB.
 * @param onProgress told how many bytes of the range have been moved
 * @throws SurgeryError, AbortedError
 */
export async function copyRange(
  source: NamedFile,
  target: NamedFile,
  { from, to, length }: Range,
  signal: AbortSignal | undefined,
  onProgress: (moved: number) => void,
): Promise<void> {
  const byKernel = await withControl(
    signal,
    (control) => addon.copyFileRange(source.handle.fd, from, target.handle.fd, to, length, control),
    (fraction) => onProgress(Math.floor(fraction * length)),
  );
  onProgress(byKernel);
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, length - byKernel));
  for (let done = byKernel; done < length; ) {
    throwIfAborted(signal);
    const wanted = Math.min(buffer.length, length - done);
    const { bytesRead } = await source.handle.read(buffer, 0, wanted, from + done).catch((error: unknown) => {
      throw readFailure(source.path, error);
    });
    if (bytesRead === 0) throw inputChanged(source.path);
    await writeFully(target, buffer.subarray(0, bytesRead), to + done);
    done += bytesRead;
    onProgress(done);
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
