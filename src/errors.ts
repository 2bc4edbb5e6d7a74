/**
 * The base of every error a user can cause or meet. Each room of the project derives its own class for its own
 * cause; `code` is stable and documented in docs/troubleshooting.md, and the message is one sentence that says what
 * was wrong, where, and what to do.
 */
export abstract class LorpError extends Error {
  /** Stable, upper case, e.g. `GGUF_TRUNCATED`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** A request that cannot be meant: a bad option value, a budget out of range, an output equal to the input. */
export class UsageError extends LorpError {}

/** The work was stopped through its AbortSignal. */
export class AbortedError extends LorpError {
  constructor(message = "Stopped before it was done; nothing was written.") {
    super("ABORTED", message);
  }
}

/** Throws AbortedError when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError();
}
