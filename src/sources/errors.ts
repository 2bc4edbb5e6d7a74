import { LorpError } from "../errors.ts";
import { withoutSecrets } from "../secrets.ts";

export type SourceErrorCode =
  | "SOURCE_REFERENCE"
  | "SOURCE_NOT_FOUND"
  | "SOURCE_AMBIGUOUS"
  | "SOURCE_OLLAMA"
  | "SOURCE_ENDPOINT"
  | "SOURCE_TOKEN"
  | "DOWNLOAD_UNREACHABLE"
  | "DOWNLOAD_DENIED"
  | "DOWNLOAD_NOT_FOUND"
  | "DOWNLOAD_REFUSED"
  | "DOWNLOAD_BROKEN"
  | "DOWNLOAD_LENGTH"
  | "DOWNLOAD_CHANGED"
  | "DOWNLOAD_CHECKSUM"
  | "DOWNLOAD_NOT_GGUF"
  | "DOWNLOAD_UNWRITABLE";

/** A model reference that leads to no file, or a download that failed. */
export class SourceError extends LorpError<SourceErrorCode> {
  constructor(code: SourceErrorCode, message: string, options?: ErrorOptions) {
    super(code, withoutSecrets(message), options);
  }
}
