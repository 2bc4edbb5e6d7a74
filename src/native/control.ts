import { AbortedError, throwIfAborted } from "../errors.ts";

/** How often native progress is looked at, milliseconds. */
const POLL = 100;

/**
 * Runs one native call under an AbortSignal: the signal sets the control block's stop word, and the native ABORTED
 * becomes an AbortedError.
 * @param onProgress called with 0…1 while the call runs
 */
export async function withControl<Result>(
  signal: AbortSignal | undefined,
  call: (control: Int32Array) => Promise<Result>,
  onProgress?: (fraction: number) => void,
): Promise<Result> {
  throwIfAborted(signal);
  const control = new Int32Array(2);
  const stop = () => Atomics.store(control, 0, 1);
  signal?.addEventListener("abort", stop, { once: true });
  const timer = onProgress && setInterval(() => onProgress(Atomics.load(control, 1) / 1000), POLL);
  try {
    return await call(control);
  } catch (error) {
    throw error instanceof Error && "code" in error && error.code === "ABORTED" ? new AbortedError() : error;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", stop);
  }
}
