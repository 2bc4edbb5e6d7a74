import { LorpError } from "../errors.ts";

export type OutputErrorCode =
  | "OUTPUT_EXISTS"
  | "OUTPUT_IS_INPUT"
  | "OUTPUT_TWICE"
  | "OUTPUT_NO_FILE"
  | "OUTPUT_IS_FOLDER"
  | "OUTPUT_IN_STORE"
  | "OUTPUT_PART_NAME"
  | "OUTPUT_FOLDER_MISSING"
  | "OUTPUT_NOT_WRITABLE"
  | "OUTPUT_TOO_LARGE"
  | "DISK_FULL"
  | "INPUT_CHANGED"
  | "INPUT_UNREADABLE"
  | "TENSOR_FACTOR";

/** The pruned file, or what is written beside or instead of it, cannot be written; nothing of it is left behind. */
export class OutputError extends LorpError<OutputErrorCode> {}

const isErrno = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && "code" in error;

/** What the system's refusal to write `path` means; an error that is no system error is passed on. */
export function writeFailure(path: string, error: unknown): unknown {
  if (!isErrno(error) || error instanceof LorpError) return error;
  const options = { cause: error };
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
      return new OutputError(
        "DISK_FULL",
        `There is not enough space for ${path}; free some or write to another disk.`,
        options,
      );
    case "EFBIG":
      return new OutputError(
        "OUTPUT_TOO_LARGE",
        `${path} would be larger than a file may be there; write to another file system, or, where it is not quantised, split it with \`splitMaxSize\`.`,
        options,
      );
    case "ENOENT":
    case "ENOTDIR":
      return new OutputError(
        "OUTPUT_FOLDER_MISSING",
        `The folder of ${path} does not exist; create it first.`,
        options,
      );
    case "EEXIST":
      return new OutputError(
        "OUTPUT_EXISTS",
        `${path} exists already; choose another name or pass \`force\`.`,
        options,
      );
    case "EISDIR":
      return new OutputError("OUTPUT_IS_FOLDER", `${path} is a folder; give the name of a file.`, options);
    default:
      return new OutputError(
        "OUTPUT_NOT_WRITABLE",
        `Cannot write ${path}: the system says ${error.code}; check its permissions and its disk.`,
        options,
      );
  }
}

/** What the system's refusal to read `path` means. */
export function readFailure(path: string, error: unknown): unknown {
  if (!isErrno(error) || error instanceof LorpError) return error;
  return new OutputError(
    "INPUT_UNREADABLE",
    `Cannot read ${path}: the system says ${error.code}; check the file and its disk.`,
    { cause: error },
  );
}

/** The model's file is not any more what its header was read from. */
export function inputChanged(path: string): OutputError {
  return new OutputError("INPUT_CHANGED", `${path} was changed while it was used; run the command again.`);
}
