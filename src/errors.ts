/**
 * The base of every error a user can cause or meet. Each room of the project derives its own class for its own
 * cause; `code` is stable and documented in docs/troubleshooting.md, and the message is one sentence that says what
 * was wrong, where, and what to do. It names options as programs give them, in backticks (`gpu: "off"`); the command line
 * makes flags of them.
 */
export abstract class LorpError<Code extends string = string> extends Error {
  /** Stable, upper case, e.g. `GGUF_TRUNCATED`. */
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

export type UsageErrorCode =
  | "BASE_MISSING"
  | "BUDGET_INVALID"
  | "CACHE_UNWRITABLE"
  | "CLUSTERS_INVALID"
  | "LAYERS_INVALID"
  | "METHOD_MEASURES"
  | "METHOD_UNKNOWN"
  | "OPTION_INVALID"
  | "PLAN_OTHER_MODEL"
  | "QUANTIZE_SPLIT"
  | "QUANTIZE_TYPE"
  | "SEQUENCE_TOO_LONG"
  | "TENSOR_TYPE";

/** A request that cannot be meant: a bad option value, a budget out of range, an output equal to the input. */
export class UsageError extends LorpError<UsageErrorCode> {}

/** The work was stopped through its AbortSignal. */
export class AbortedError extends LorpError<"ABORTED"> {
  constructor(message = "Stopped before it was done; nothing was written.") {
    super("ABORTED", message);
  }
}

/** Throws AbortedError when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError();
}

/** Why the system lets a file not be read, for a sentence; undefined of what is no error of the system. */
export function systemReason(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof LorpError || code === undefined) return undefined;
  return code === "ENOENT" ? "there is no such file" : `the system says ${code}`;
}
