import { LorpError } from "../errors.ts";

export type DocumentErrorCode =
  | "DOCUMENT_UNREADABLE"
  | "DOCUMENT_NOT_JSON"
  | "RECIPE_NOT_NAMED"
  | "DOCUMENT_INVALID"
  | "DOCUMENT_TOO_NEW"
  | "DOCUMENT_UNWRITABLE";

/** An Analysis, Plan or Report that cannot be read, understood or written. */
export class DocumentError extends LorpError<DocumentErrorCode> {}
