import { AbortedError, throwIfAborted } from "../errors.ts";
import { addon, type NativeControl } from "./addon.ts";

/** How often native progress is looked at, milliseconds. */
const POLL = 100;

/**
 * Runs one native call under an AbortSignal: the signal stops its control, and the native ABORTED becomes an
 * AbortedError.
 * @param onProgress called with 0…1 while the call runs
 */
export async function withControl<Result>(
  signal: AbortSignal | undefined,
  call: (control: NativeControl) => Promise<Result>,
  onProgress?: (fraction: number) => void,
): Promise<Result> {
  throwIfAborted(signal);
  const control = new addon.Control();
  const stop = () => control.stop();
  signal?.addEventListener("abort", stop, { once: true });
  const timer = onProgress && setInterval(() => onProgress(control.progress()), POLL);
  try {
    return await call(control);
  } catch (error) {
    throw error instanceof Error && "code" in error && error.code === "ABORTED" ? new AbortedError() : error;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", stop);
  }
}
