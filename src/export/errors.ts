import { LorpError } from "../errors.ts";

export type ExportErrorCode = "MODELFILE_QUOTES";

/** Something that cannot be said in another program's format. */
export class ExportError extends LorpError<ExportErrorCode> {}
