import { LorpError } from "../errors.ts";

export type ImatrixErrorCode = "IMATRIX_UNREADABLE" | "IMATRIX_OTHER_MODEL";

/** An importance matrix that cannot be read, or is not of the model at hand. */
export class ImatrixError extends LorpError<ImatrixErrorCode> {}

export function unreadable(path: string, reason: string, options?: ErrorOptions): ImatrixError {
  return new ImatrixError(
    "IMATRIX_UNREADABLE",
    `Cannot read the importance matrix ${path}: ${reason}; make it again with llama.cpp's llama-imatrix.`,
    options,
  );
}
