import { throwIfAborted } from "../errors.ts";
import { type NamedFile, readFully, writeFully } from "../files/io.ts";
import { addon } from "../native/addon.ts";
import { withControl } from "../native/control.ts";

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
 * @throws OutputError, AbortedError
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
    const chunk = buffer.subarray(0, length - done);
    await readFully(source, chunk, from + done);
    await writeFully(target, chunk, to + done);
    done += chunk.length;
    onProgress(done);
  }
}

/** Changes bytes on their way, given any number of whole units at a time, in order. */
export interface Transform {
  /** Bytes that are changed together. */
  readonly unit: number;
  /** Changes them where they are; returns those that stay. */
  apply(units: Uint8Array): Uint8Array;
}

/** As `copyRange`, with the bytes changed. @throws OutputError, AbortedError */
export async function transformRange(
  source: NamedFile,
  target: NamedFile,
  { from, to, length }: Range,
  { unit, apply }: Transform,
  signal: AbortSignal | undefined,
  onProgress: (moved: number) => void,
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(unit, CHUNK - (CHUNK % unit)), length));
  let written = 0;
  for (let done = 0; done < length; ) {
    throwIfAborted(signal);
    const chunk = buffer.subarray(0, length - done);
    await readFully(source, chunk, from + done);
    const left = apply(chunk);
    await writeFully(target, left, to + written);
    done += chunk.length;
    written += left.length;
    onProgress(done);
  }
}
