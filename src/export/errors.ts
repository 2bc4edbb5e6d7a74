import { LorpError } from "../errors.ts";

export type ExportErrorCode = "MODELFILE_QUOTES";

/** Something that cannot be said in another program's format. */
export class ExportError extends LorpError {
  declare readonly code: ExportErrorCode;

  constructor(code: ExportErrorCode, message: string) {
    super(code, message);
  }
}
