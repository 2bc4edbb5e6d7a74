import { LorpError } from "../errors.ts";

/** Stable codes of everything that can be wrong with a GGUF file. */
export type GgufErrorCode =
  | "GGUF_UNREADABLE"
  | "GGUF_NOT_GGUF"
  | "GGUF_BIG_ENDIAN"
  | "GGUF_VERSION"
  | "GGUF_TRUNCATED"
  | "GGUF_COUNT"
  | "GGUF_HEADER_TOO_LARGE"
  | "GGUF_UTF8"
  | "GGUF_VALUE_TYPE"
  | "GGUF_NESTING"
  | "GGUF_KEY"
  | "GGUF_DUPLICATE"
  | "GGUF_ALIGNMENT"
  | "GGUF_TENSOR_SHAPE"
  | "GGUF_TENSOR_LAYOUT"
  | "GGUF_SPLIT"
  | "GGUF_MISSING_PART";

/** What to do about it, as the last part of the message. */
const ADVICE: Record<GgufErrorCode, string> = {
  GGUF_UNREADABLE: "check the path and its permissions",
  GGUF_NOT_GGUF: "give a model in GGUF format",
  GGUF_BIG_ENDIAN: "convert it to little-endian with gguf-py's gguf_convert_endian",
  GGUF_VERSION: "convert the model again with a current llama.cpp",
  GGUF_TRUNCATED: "download or copy the file again",
  GGUF_COUNT: "the file is damaged, download or copy it again",
  GGUF_HEADER_TOO_LARGE: "the file is damaged, download or copy it again",
  GGUF_UTF8: "the file is damaged, download or convert it again",
  GGUF_VALUE_TYPE: "the file is damaged or newer than this program, download it again or update",
  GGUF_NESTING: "the file is damaged, download or convert it again",
  GGUF_KEY: "the file is damaged, download or convert it again",
  GGUF_DUPLICATE: "convert the model again with a current llama.cpp",
  GGUF_ALIGNMENT: "convert the model again with a current llama.cpp",
  GGUF_TENSOR_SHAPE: "the file is damaged, download or convert it again",
  GGUF_TENSOR_LAYOUT: "the file is damaged, download or convert it again",
  GGUF_SPLIT: "put back the parts of one model under the names llama.cpp gave them",
  GGUF_MISSING_PART: "put every part of the split model in one folder",
};

/** A file that is not a readable GGUF: where (absolute byte offset in `path`) and why. */
export class GgufError extends LorpError<GgufErrorCode> {
  readonly path: string;
  readonly offset: number;
  /** What was wrong, without the file, the place and the advice. */
  readonly reason: string;

  constructor(code: GgufErrorCode, path: string, offset: number, reason: string, options?: ErrorOptions) {
    const place = offset === 0 ? "" : ` (byte ${offset})`;
    super(code, `Cannot read ${path}: ${reason}${place}; ${ADVICE[code]}.`, options);
    this.path = path;
    this.offset = offset;
    this.reason = reason;
  }
}
